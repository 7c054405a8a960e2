import { asKiezError } from './api';
import type { Step } from './api';
import type { Kiez } from './kiez.svelte';
import { errorText } from './words/errors';
import { apart } from './words/said';
import { download } from './parts/download';
import { m } from '$words';

/** A copy of the group, on its way out to a file or in from one. Wherever it was begun, it goes on while other places are looked at. */
export class Copying {
  readonly #kiez: Kiez;
  way = $state<'in' | 'out' | null>(null);
  /** Kiez works at it, and does not say how far it is. */
  step = $state<Step | null>(null);
  /** So many bytes are carried over, of so many if that is known. */
  done = $state(0);
  of = $state<number | null>(null);
  #stop = new AbortController();

  constructor(kiez: Kiez) {
    this.#kiez = kiez;
  }

  /** What is taken in is taken in whole: that cannot be stopped. */
  get mayStop() {
    return this.#kiez.client.stops && this.step !== 'taking-in';
  }
  stop() {
    if (this.mayStop) this.#stop.abort();
  }
  /** Kiez says what it is at. What another page began is not ours to show: nobody would say that it is over. */
  told(step: Step) {
    if (this.way === (step === 'gathering' ? 'out' : 'in')) this.step = step;
  }

  async write() {
    await this.#once('out', async () => {
      this.step = 'gathering';
      const made = await this.#kiez.client.copyOut(this.#kiez.group, (done, of) => this.#carried(done, of), this.#stop.signal);
      if ('path' in made) return m.copy_is_at({ path: apart(made.path) });
      download(made.bytes, made.name);
      return m.copy_written({ name: apart(made.name) });
    });
  }
  async read(file: Blob) {
    await this.#once('in', async () => {
      this.of = file.size;
      await this.#kiez.client.copyIn(file, (done, of) => this.#carried(done, of), this.#stop.signal);
      return m.copy_read();
    });
  }
  #carried(done: number, of: number | null) {
    this.done = done;
    this.of = of;
    this.step = this.way === 'in' && done === of ? 'taking-in' : null;
  }
  async #once(way: 'in' | 'out', work: () => Promise<string>) {
    if (this.way !== null) return;
    this.way = way;
    this.step = null;
    this.done = 0;
    this.of = null;
    this.#stop = new AbortController();
    try {
      this.#kiez.note(await work());
    } catch (failure) {
      const error = asKiezError(failure);
      if (error.code === 'stopped') this.#kiez.note(errorText(error));
      else this.#kiez.fail(errorText(error));
    }
    this.way = null;
  }
}
