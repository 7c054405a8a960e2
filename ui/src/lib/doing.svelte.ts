import { asKiezError, type KiezError } from './api';
import type { Kiez } from './kiez.svelte';
import { errorText } from './words/errors';

/** Something that I do: done once, however often its button is pressed meanwhile. Why it could not be done is kept. */
export class Doing {
  busy = $state(false);
  error = $state.raw<KiezError | null>(null);
  readonly #kiez: Kiez | null;

  /** With `kiez` a failure is said at the lower edge: there is no place for it beside the button. */
  constructor(kiez: Kiez | null = null) {
    this.#kiez = kiez;
  }

  async run(work: () => Promise<void>): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    const before = this.#kiez?.notice;
    try {
      await work();
      this.error = null;
      // The next thing was done: what could be undone was the one before.
      if (this.#kiez && this.#kiez.notice === before) this.#kiez.notice = null;
    } catch (failure) {
      this.error = asKiezError(failure);
      this.#kiez?.fail(errorText(this.error));
    } finally {
      this.busy = false;
    }
  }
}
