import { asKiezError, type KiezError, type News } from './api';
import type { Kiez } from './kiez.svelte';
import { keep } from './same';

/** Others may change something many times a second; asking again so often would only keep the page from being drawn. */
const SOON = 150;
/** What is there, or what I did, is drawn before Kiez is asked again: its answering takes the same processors. */
const BREATH = 50;

/**
 * An answer that stays true: asked again whenever something changed that it may be about. Parts that ask the same share it,
 * and who comes back to a place sees at once what was there.
 */
export class Live<T> {
  value = $state.raw<T | undefined>(undefined);
  error = $state.raw<KiezError | null>(null);
  /** At which turn the answer that is shown was asked for. */
  asked = 0;
  readonly #kiez: Kiez;
  #ask: () => Promise<T>;
  #users = 0;
  #asking = false;
  #stale = false;
  /** What was asked for before this turn knows nothing of what I did. */
  #since = 0;
  /** The answer without what I hope for. */
  #known: T | undefined;
  /** What I am doing and Kiez has not yet written down: it shows over whatever is answered meanwhile. */
  readonly #hoped = new Set<(value: T) => T>();
  #last = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(kiez: Kiez, ask: () => Promise<T>) {
    this.#kiez = kiez;
    this.#ask = ask;
  }

  /** A part shows it from now on. Returns how it stops. */
  use(ask: () => Promise<T>, about: (event: News) => boolean): () => void {
    this.#ask = ask;
    this.#users += 1;
    if (this.value === undefined) this.again();
    else this.#soon();
    const off = this.#kiez.onNews((event) => {
      if (event === 'all') this.again();
      else if ((event.event !== 'changed' || event.group === this.#kiez.group) && about(event)) this.#soon();
    });
    return () => {
      off();
      this.#users -= 1;
      if (this.#users === 0) this.#halt();
    };
  }

  again() {
    this.#halt();
    if (this.#asking) this.#stale = true;
    else void this.#take();
  }
  /** Asks in a while; who waits already does not wait longer. */
  #soon() {
    this.#timer ??= setTimeout(() => this.again(), Math.max(BREATH, this.#last + SOON - performance.now()));
  }
  /** Whoever waits to ask does not any more. */
  #halt() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** What I did shows at once; then Kiez is asked how it stands. */
  show(change: (value: T) => T) {
    this.#since = this.#kiez.turn();
    if (this.#known !== undefined) this.#stands(change(this.#known));
    if (this.#users > 0) this.#soon();
  }
  /** What I am doing shows from now on, until its end is told: then `show` says how it ended, or it was not done. */
  hope(change: (value: T) => T): () => void {
    this.#hoped.add(change);
    if (this.#known !== undefined) this.#stands(this.#known);
    return () => {
      this.#hoped.delete(change);
      if (this.#known !== undefined) this.#stands(this.#known);
    };
  }
  #stands(known: T) {
    this.#known = known;
    let value = known;
    for (const change of this.#hoped) value = change(value);
    this.value = value;
  }

  async #take() {
    this.#asking = true;
    this.#stale = false;
    const turn = this.#kiez.turn();
    try {
      const value: T = await this.#ask();
      if (turn < this.#since) this.#stale = true;
      else {
        this.asked = turn;
        this.#stands(this.#known === undefined ? value : keep(this.#known, value));
        this.error = null;
      }
    } catch (error) {
      this.error = asKiezError(error);
    }
    this.#asking = false;
    this.#last = performance.now();
    if (this.#stale && this.#users > 0) void this.#take();
  }
}
