import { asKiezError } from './api';
import type { Kiez } from './kiez.svelte';
import { errorText } from './words/errors';
import { apart } from './words/said';
import { download } from './parts/download';
import { m } from '$words';

/** A copy of the group, on its way out to a file or in from one. Wherever it was begun, it goes on while other places are looked at. */
export class Copying {
  readonly #kiez: Kiez;
  way = $state<'in' | 'out' | null>(null);
  /** How much is read, 0 to 1. */
  part = $state(0);

  constructor(kiez: Kiez) {
    this.#kiez = kiez;
  }

  async write() {
    await this.#once('out', async () => {
      const made = await this.#kiez.client.copyOut(this.#kiez.group);
      if ('path' in made) return m.copy_is_at({ path: apart(made.path) });
      download(made.bytes, made.name);
      return m.copy_written({ name: apart(made.name) });
    });
  }
  async read(file: Blob) {
    await this.#once('in', async () => {
      this.part = 0;
      await this.#kiez.client.copyIn(file, (part) => (this.part = part));
      return m.copy_read();
    });
  }
  async #once(way: 'in' | 'out', work: () => Promise<string>) {
    if (this.way !== null) return;
    this.way = way;
    try {
      this.#kiez.note(await work());
    } catch (error) {
      this.#kiez.fail(errorText(asKiezError(error)));
    }
    this.way = null;
  }
}
