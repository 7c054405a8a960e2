import { asKiezError, type KiezError, type Text, type TextField } from './api';
import type { Kiez } from './kiez.svelte';
import { textStands } from './own';
import { type Caret, Draft } from './text/draft';

/** The field of a page: where its caret is, and how it is made to show something. */
export interface Sheet {
  caret: () => Caret;
  show: (text: string, caret: Caret) => void;
}

/** So long after the last letter what was typed is sent. */
const PAUSE = 250;
const FIRST_WAIT = 500;
const LONGEST_WAIT = 8000;
/** Refused, because the text is another one by now: it is read before anything is sent again. */
const behind = new Set(['unknown-heads', 'splice']);
/** Refused, whenever it comes again. */
const final = new Set(['does-not-fit', 'not-found', 'no-such-group', 'not-allowed', 'not-admitted', 'usage']);

/** A text that I write into: what I type goes to Kiez a moment later, also when its field is not shown any more. */
export class Writing {
  error = $state.raw<KiezError | null>(null);
  /** Everything typed is in Kiez. */
  saved = $state(true);
  readonly #kiez: Kiez;
  readonly #id: string;
  readonly #field: TextField;
  /** What is sent late is sent to the group in which it was typed. */
  readonly #group: string;
  readonly #draft: Draft;
  #sheet: Sheet | null = null;
  #composing = false;
  /** What the field read last while a letter is being put together (Pinyin, accents). */
  #half: { text: string; caret: number } | null = null;
  /** The field is not touched meanwhile: what is to show in it waits. */
  #later: (() => void)[] = [];
  #behind = false;
  #going: Promise<void> | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #wait = FIRST_WAIT;

  constructor(kiez: Kiez, id: string, field: TextField, text: Text) {
    this.#kiez = kiez;
    this.#id = id;
    this.#field = field;
    this.#group = kiez.group;
    this.#draft = new Draft(text);
  }
  /** What could not be sent when a text was left is gone on with. */
  static of(kiez: Kiez, id: string, field: TextField, text: Text): Writing {
    return kiez.texts.get(`${kiez.group} ${id} ${field}`) ?? new Writing(kiez, id, field, text);
  }

  get text() {
    return this.#draft.shown;
  }
  get #name() {
    return `${this.#group} ${this.#id} ${this.#field}`;
  }

  /** A field shows it from now on. Returns how it stops. */
  attach(sheet: Sheet): () => void {
    this.#sheet = sheet;
    if (this.#draft.open) this.#plan(0);
    return () => {
      this.#sheet = null;
      this.#take();
      this.#composing = false;
      this.#settleAll();
      if (!this.#draft.open) this.#kiez.texts.delete(this.#name);
      else {
        this.#kiez.texts.set(this.#name, this);
        void this.#send();
      }
    };
  }

  typed(text: string, caret: number) {
    this.#half = { text, caret };
    if (this.#composing) return;
    this.#take();
    this.#plan(PAUSE);
  }
  compose() {
    this.#composing = true;
  }
  composed(text: string, caret: number) {
    this.#composing = false;
    // First what I wrote, then what waited for it.
    this.#half = { text, caret };
    this.#take();
    this.#settleAll();
    this.#plan(PAUSE);
  }
  /** What others wrote. */
  news(text: Text) {
    this.#settle((caret) => this.#draft.news(text, caret));
  }
  /** The window may close: what was typed goes now, also what is half put together. */
  leave() {
    this.#take();
    void this.#send();
  }
  /** Everything typed is in Kiez; or not, and then `error` says why. */
  async flush(): Promise<boolean> {
    while (this.#draft.open) {
      await this.#send();
      if (this.error || this.#composing) return false;
    }
    return true;
  }

  #take() {
    if (this.#half) this.#draft.type(this.#half.text, this.#half.caret);
    this.#half = null;
    this.saved = !this.#draft.open;
  }
  #settle(change: (caret: Caret) => Caret) {
    const now = () => {
      const caret = change(this.#sheet?.caret() ?? { start: 0, end: 0 });
      this.#sheet?.show(this.#draft.shown, caret);
      this.saved = !this.#draft.open;
    };
    if (this.#composing) this.#later.push(now);
    else now();
  }
  #settleAll() {
    const waiting = this.#later;
    this.#later = [];
    for (const change of waiting) change();
  }

  #plan(after: number) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#send(), after);
  }
  #send(): Promise<void> {
    clearTimeout(this.#timer);
    this.#going ??= this.#sent().finally(() => {
      this.#going = null;
      if (!this.#draft.open && !this.#sheet) this.#kiez.texts.delete(this.#name);
      // An answer that waits for a letter to be put together: what comes next waits with it.
      // What is refused as it is waits for the next letter.
      if (this.#draft.open && this.#later.length === 0 && !final.has(this.error?.code ?? '')) this.#plan(this.error ? this.#wait : 0);
    });
    return this.#going;
  }
  async #sent() {
    const { client } = this.#kiez;
    try {
      if (this.#behind) {
        const page = await client.idea(this.#group, this.#id);
        this.#behind = false;
        this.#settle((caret) => this.#draft.news(page[this.#field], caret));
      }
      const packed = this.#draft.take();
      if (packed) {
        const answer = await client.ideaText(this.#group, this.#id, this.#field, packed.heads, packed.splices, packed.once);
        this.#settle((caret) => this.#draft.answer(answer, caret));
        textStands(this.#kiez, this.#id, this.#field, answer);
      }
      this.error = null;
      this.#wait = FIRST_WAIT;
    } catch (failure) {
      this.error = asKiezError(failure);
      this.#behind ||= behind.has(this.error.code);
      if (this.error.code === 'connection-lost') this.#draft.unanswered();
      else this.#draft.failed();
      this.#wait = Math.min(this.#wait * 2, LONGEST_WAIT);
    }
  }
}
