/**
 * Changes of a text, so that two people can write into it apart. A change walks over the whole text: a positive
 * number keeps so many UTF-16 units, a negative one drops them, a string is put in. Pure: no page, no clock.
 */
import type { Splice } from '../api/types';

export type Ops = readonly (number | string)[];

/** Puts a change together: what belongs together is joined, inserts stand before drops. */
export class Builder {
  readonly ops: (number | string)[] = [];
  keep(units: number) {
    if (units <= 0) return this;
    const last = this.ops.at(-1);
    if (typeof last === 'number' && last > 0) this.ops[this.ops.length - 1] = last + units;
    else this.ops.push(units);
    return this;
  }
  drop(units: number) {
    if (units <= 0) return this;
    const last = this.ops.at(-1);
    if (typeof last === 'number' && last < 0) this.ops[this.ops.length - 1] = last - units;
    else this.ops.push(-units);
    return this;
  }
  put(text: string) {
    if (text === '') return this;
    const last = this.ops.at(-1);
    if (typeof last === 'string') this.ops[this.ops.length - 1] = last + text;
    else if (typeof last === 'number' && last < 0) {
      const before = this.ops.at(-2);
      if (typeof before === 'string') this.ops[this.ops.length - 2] = before + text;
      else this.ops.splice(-1, 0, text);
    } else this.ops.push(text);
    return this;
  }
  /** Without what is kept at the end: a change that does nothing is the empty list. */
  done(): Ops {
    const last = this.ops.at(-1);
    if (typeof last === 'number' && last > 0) this.ops.pop();
    return this.ops;
  }
}

/** Reads a change piece by piece; behind its end everything is kept. */
class Reader {
  #index = 0;
  #used = 0;
  readonly #ops: Ops;
  constructor(ops: Ops) {
    this.#ops = ops;
  }
  get end() {
    return this.#index >= this.#ops.length;
  }
  peek(): number | string {
    const op = this.#ops[this.#index];
    if (op === undefined) return Number.POSITIVE_INFINITY;
    if (typeof op === 'string') return op.slice(this.#used);
    return op > 0 ? op - this.#used : op + this.#used;
  }
  take(units: number) {
    const op = this.#ops[this.#index];
    if (op === undefined) return;
    this.#used += units;
    if (this.#used >= (typeof op === 'string' ? op.length : Math.abs(op))) {
      this.#index += 1;
      this.#used = 0;
    }
  }
}

export function apply(text: string, ops: Ops): string {
  let out = '';
  let at = 0;
  for (const op of ops) {
    if (typeof op === 'string') out += op;
    else if (op > 0) out += text.slice(at, (at += op));
    else at -= op;
  }
  return out + text.slice(at);
}

/** First `a`, then `b`, as one change. */
export function compose(a: Ops, b: Ops): Ops {
  const left = new Reader(a);
  const right = new Reader(b);
  const out = new Builder();
  while (!left.end || !right.end) {
    const x = left.peek();
    const y = right.peek();
    if (typeof x === 'number' && x < 0) {
      out.drop(-x);
      left.take(-x);
    } else if (typeof y === 'string') {
      out.put(y);
      right.take(y.length);
    } else {
      const has = typeof x === 'string' ? x.length : x;
      const units = Math.min(has, Math.abs(y));
      if (typeof x === 'string') {
        if (y > 0) out.put(x.slice(0, units));
      } else if (y > 0) out.keep(units);
      else out.drop(units);
      left.take(units);
      right.take(units);
    }
  }
  return out.done();
}

/** `ops`, made for a text, as it is to be done after `over` was done to the same text. */
export function rebase(ops: Ops, over: Ops, first: boolean): Ops {
  const mine = new Reader(ops);
  const theirs = new Reader(over);
  const out = new Builder();
  while (!mine.end || !theirs.end) {
    const x = mine.peek();
    const y = theirs.peek();
    if (typeof x === 'string' && (first || typeof y !== 'string')) {
      out.put(x);
      mine.take(x.length);
    } else if (typeof y === 'string') {
      out.keep(y.length);
      theirs.take(y.length);
    } else if (typeof x === 'number') {
      const units = Math.min(Math.abs(x), Math.abs(y));
      if (y > 0) {
        if (x > 0) out.keep(units);
        else out.drop(units);
      }
      mine.take(units);
      theirs.take(units);
    }
  }
  return out.done();
}

/** Where a place in the text is after the change. `stay`: text put in just here lands behind the place. */
export function move(place: number, ops: Ops, stay: boolean): number {
  let from = 0;
  let to = 0;
  for (const op of ops) {
    if (from > place || (from === place && stay)) break;
    if (typeof op === 'string') to += op.length;
    else if (op > 0) {
      if (from + op > place) break;
      from += op;
      to += op;
    } else {
      from -= op;
      if (from > place) return to;
    }
  }
  return to + Math.max(0, place - from);
}

/** As splices from the first to the last, all against the text before. */
export function toSplices(ops: Ops): Splice[] {
  const out: Splice[] = [];
  let at = 0;
  let open: Splice | null = null;
  for (const op of ops) {
    if (typeof op === 'number' && op > 0) {
      at += op;
      open = null;
      continue;
    }
    if (open === null) {
      open = { at, delete: 0, insert: '' };
      out.push(open);
    }
    if (typeof op === 'string') open.insert += op;
    else {
      open.delete -= op;
      at -= op;
    }
  }
  return out;
}

/** The other way: splices that are all against the text before. */
export function fromSplices(splices: readonly Splice[]): Ops {
  const out = new Builder();
  let at = 0;
  for (const splice of [...splices].sort((a, b) => a.at - b.at)) {
    out.keep(splice.at - at).put(splice.insert).drop(splice.delete);
    at = splice.at + splice.delete;
  }
  return out.done();
}
