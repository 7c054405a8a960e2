/**
 * A text that I write into while others do. What I see is always what I typed, at once:
 * the text as Kiez last gave it, then what is on its way to Kiez, then what I typed since.
 * What comes back may hold words of others: my typing is laid over it, my caret moves with it.
 */
import type { Splice, Text } from '../api/types';
import { diff } from './diff';
import { apply, compose, move, type Ops, rebase, toSplices } from './ops';

export interface Caret {
  readonly start: number;
  readonly end: number;
}

export class Draft {
  #base: Text;
  #sent: Ops | null = null;
  #typed: Ops = [];
  #shown: string;

  constructor(text: Text) {
    this.#base = text;
    this.#shown = text.text;
  }

  get shown() {
    return this.#shown;
  }
  get heads() {
    return this.#base.heads;
  }
  /** Is something mine not in Kiez yet? */
  get open() {
    return this.#sent !== null || this.#typed.length > 0;
  }
  get waiting() {
    return this.#typed.length > 0;
  }
  get sending() {
    return this.#sent !== null;
  }

  /** I typed: the field now reads so, and the caret stands there. */
  type(text: string, caret?: number) {
    this.#typed = compose(this.#typed, diff(this.#shown, text, caret));
    this.#shown = text;
  }

  /** What is to be sent now; `null` if nothing is, or something still is on its way. */
  take(): { heads: string; splices: Splice[] } | null {
    if (this.#sent !== null || this.#typed.length === 0) return null;
    this.#sent = this.#typed;
    this.#typed = [];
    return { heads: this.#base.heads, splices: toSplices(this.#sent) };
  }

  /** Kiez answered: the text as it stands, with what was sent in it. */
  answer(text: Text, caret: Caret): Caret {
    const sent = this.#sent ?? [];
    this.#sent = null;
    return this.#over(apply(this.#base.text, sent), text, caret);
  }

  /** It did not arrive. It is kept, together with what was typed since. */
  failed() {
    if (this.#sent === null) return;
    this.#typed = compose(this.#sent, this.#typed);
    this.#sent = null;
  }

  /** The text as others left it. While something is on its way this waits for the answer, which knows more. */
  news(text: Text, caret: Caret): Caret {
    if (this.#sent !== null || text.heads === this.#base.heads) return caret;
    return this.#over(this.#base.text, text, caret);
  }

  #over(known: string, text: Text, caret: Caret): Caret {
    const theirs = diff(known, text.text);
    const before = this.#shown;
    const theirsHere = rebase(theirs, this.#typed, true);
    this.#typed = rebase(this.#typed, theirs, false);
    this.#base = text;
    this.#shown = apply(text.text, this.#typed);
    if (this.#shown === before) return caret;
    // Words that others put in just where I stand come behind my caret only if I have not typed them before it.
    return { start: move(caret.start, theirsHere, true), end: move(caret.end, theirsHere, true) };
  }
}
