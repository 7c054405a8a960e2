/**
 * A text that I write into while others do. What I see is always what I typed, at once:
 * the text as Kiez last gave it, then what is on its way to Kiez, then what I typed since.
 * What comes back may hold words of others: my typing is laid over it, my caret moves with it.
 */
import { drawOnce } from '../api/once';
import type { Splice, Text } from '../api/types';
import { diff } from './diff';
import { heldOps, heldPlace, shownAs, shownPlace } from './lines';
import { apply, compose, move, type Ops, rebase, toSplices } from './ops';

export interface Caret {
  readonly start: number;
  readonly end: number;
}

/** What goes out. `once` names this very sending: Kiez does it once, however often it comes. */
export interface Packed {
  readonly heads: string;
  readonly splices: Splice[];
  readonly once: string;
}

export class Draft {
  #base: Text;
  #sent: Ops | null = null;
  /** The same, as it went out. */
  #packed: Packed | null = null;
  /** It got no answer, and goes out again. */
  #again = false;
  #typed: Ops = [];
  /** The text with all that is mine in it, its line ends as they are held. */
  #held: string;

  constructor(text: Text) {
    this.#base = text;
    this.#held = text.text;
  }

  /** As a field shows it. */
  get shown() {
    return shownAs(this.#held);
  }
  /** Is something mine not in Kiez yet? */
  get open() {
    return this.#sent !== null || this.#typed.length > 0;
  }

  /** I typed: the field now reads so, and the caret stands there. */
  type(text: string, caret?: number) {
    const change = heldOps(this.#held, diff(this.shown, shownAs(text), caret));
    this.#typed = compose(this.#typed, change);
    this.#held = apply(this.#held, change);
  }

  /** What is to be sent now; `null` if nothing is, or something still is on its way. */
  take(): Packed | null {
    if (this.#again) {
      this.#again = false;
      return this.#packed;
    }
    if (this.#sent !== null || this.#typed.length === 0) return null;
    this.#sent = this.#typed;
    this.#typed = [];
    this.#packed = { heads: this.#base.heads, splices: toSplices(this.#sent), once: drawOnce() };
    return this.#packed;
  }

  /** Kiez answered: the text as it stands, with what was sent in it. */
  answer(text: Text, caret: Caret): Caret {
    const sent = this.#sent ?? [];
    this.#sent = null;
    this.#again = false;
    return this.#over(apply(this.#base.text, sent), text, caret);
  }

  /** It did not arrive. It is kept, together with what was typed since. */
  failed() {
    if (this.#sent === null) return;
    this.#typed = compose(this.#sent, this.#typed);
    this.#sent = null;
    this.#again = false;
  }
  /** No answer came: nobody here knows whether it arrived. The same goes out again, and is done once. */
  unanswered() {
    this.#again = this.#sent !== null;
  }

  /** The text as others left it. While something is on its way this waits for the answer, which knows more. */
  news(text: Text, caret: Caret): Caret {
    if (this.#sent !== null || text.heads === this.#base.heads) return caret;
    return this.#over(this.#base.text, text, caret);
  }

  #over(known: string, text: Text, caret: Caret): Caret {
    const theirs = diff(known, text.text);
    const before = this.#held;
    const theirsHere = rebase(theirs, this.#typed, true);
    this.#typed = rebase(this.#typed, theirs, false);
    this.#base = text;
    this.#held = apply(text.text, this.#typed);
    if (this.#held === before) return caret;
    // Words that others put in just where I stand come behind my caret only if I have not typed them before it.
    const moved = (place: number) => shownPlace(this.#held, move(heldPlace(before, place), theirsHere, true));
    return { start: moved(caret.start), end: moved(caret.end) };
  }
}
