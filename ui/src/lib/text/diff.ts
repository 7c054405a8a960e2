/** What changed between two texts, as small a change as is worth looking for. Never cuts a surrogate pair. */
import { Builder, type Ops } from './ops';

/** More differences than this are not looked at one by one. */
const FAR = 400;

const high = (unit: number) => unit >= 0xd800 && unit <= 0xdbff;
const low = (unit: number) => unit >= 0xdc00 && unit <= 0xdfff;

/**
 * @param caret where the caret stands in the new text, if that is known: of several equal readings
 *   ("aa" from "a") the one is taken that ends there.
 */
export function diff(from: string, to: string, caret?: number): Ops {
  if (from === to) return [];
  const short = Math.min(from.length, to.length);
  let head = 0;
  while (head < short && from.charCodeAt(head) === to.charCodeAt(head)) head += 1;
  let tail = 0;
  while (tail < short - head && from.charCodeAt(from.length - 1 - tail) === to.charCodeAt(to.length - 1 - tail)) tail += 1;
  if (caret !== undefined && to.length > from.length && tail === short - head) {
    // Something was put in before the caret: slide the change so that it ends there.
    const put = to.length - from.length;
    const start = caret - put;
    if (start >= 0 && start < head && from.slice(0, start) === to.slice(0, start) && from.slice(start) === to.slice(caret)) {
      head = start;
      tail = from.length - start;
    }
  }
  if (head > 0 && high(from.charCodeAt(head - 1))) head -= 1;
  if (tail > 0 && low(from.charCodeAt(from.length - tail))) tail -= 1;
  const out = new Builder().keep(head);
  const a = from.slice(head, from.length - tail);
  const b = to.slice(head, to.length - tail);
  if (caret === undefined && a !== '' && b !== '') middle(a, b, out);
  else out.put(b).drop(a.length);
  return out.done();
}

/** Myers' shortest way between two texts, over characters; if they are too far apart, one piece for the other. */
function middle(a: string, b: string, out: Builder) {
  const x = Array.from(a);
  const y = Array.from(b);
  const limit = Math.min(x.length + y.length, FAR);
  const reach = new Map<number, number>([[1, 0]]);
  const steps: Map<number, number>[] = [];
  let found = false;
  for (let d = 0; d <= limit && !found; d += 1) {
    steps.push(new Map(reach));
    for (let k = -d; k <= d; k += 2) {
      const down = k === -d || (k !== d && (reach.get(k - 1) ?? -1) < (reach.get(k + 1) ?? -1));
      let i = down ? (reach.get(k + 1) ?? 0) : (reach.get(k - 1) ?? 0) + 1;
      while (i < x.length && i - k < y.length && x[i] === y[i - k]) i += 1;
      reach.set(k, i);
      if (i >= x.length && i - k >= y.length) {
        found = true;
        break;
      }
    }
  }
  if (!found) {
    out.put(b).drop(a.length);
    return;
  }
  const back: (['keep' | 'drop' | 'put', string])[] = [];
  let i = x.length;
  let j = y.length;
  for (let d = steps.length - 1; d >= 0; d -= 1) {
    const before = steps[d] ?? reach;
    const k = i - j;
    const down = k === -d || (k !== d && (before.get(k - 1) ?? -1) < (before.get(k + 1) ?? -1));
    const from = down ? k + 1 : k - 1;
    const i0 = d === 0 ? 0 : (before.get(from) ?? 0);
    const j0 = d === 0 ? 0 : i0 - from;
    while (i > i0 && j > j0 && x[i - 1] === y[j - 1]) {
      i -= 1;
      j -= 1;
      back.push(['keep', x[i] ?? '']);
    }
    if (d === 0) break;
    if (down) back.push(['put', y[(j -= 1)] ?? '']);
    else back.push(['drop', x[(i -= 1)] ?? '']);
  }
  for (const [what, text] of back.reverse()) {
    if (what === 'keep') out.keep(text.length);
    else if (what === 'put') out.put(text);
    else out.drop(text.length);
  }
}
