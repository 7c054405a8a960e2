import { Channel, invoke } from '@tauri-apps/api/core';
import type { Backend, CopyProgress, Link } from './backend';
import type { Action, News, Query } from './types';

/** The window: the program is the same process, so the line cannot be lost without the window going with it. */
export class TauriBackend implements Backend {
  readonly stops = false;
  /** Not answered yet. */
  readonly #going = new Set<Promise<unknown>>();

  ask(query: Query) {
    return this.#call('ask', { query });
  }
  act(action: Action) {
    return this.#call('act', { action });
  }
  #call(command: string, what: Record<string, unknown>) {
    const going = invoke<unknown>(command, what);
    this.#going.add(going);
    void going.catch(() => undefined).finally(() => this.#going.delete(going));
    return going;
  }
  /**
   * The window closes. What is typed goes now, as when any page is left; what is on its way is waited for, and then what was
   * typed behind it. The window does not wait for long.
   */
  async #leave() {
    do {
      await Promise.allSettled(this.#going);
      globalThis.dispatchEvent(new Event('pagehide'));
      await new Promise((turn) => setTimeout(turn));
    } while (this.#going.size > 0);
    await invoke('leave');
  }
  listen(news: (event: News) => void, link: (state: Link) => void) {
    const channel = new Channel<News>();
    let on = true;
    channel.onmessage = (event) => {
      if (event.event === 'closing') void this.#leave();
      else if (on) news(event);
    };
    invoke('events', { channel }).then(
      () => link('open'),
      () => link('lost'),
    );
    return () => {
      on = false;
    };
  }
  async copyOut(group: string) {
    return { path: await invoke<string>('copy_out', { group }) };
  }
  async copyIn(file: Blob, progress: CopyProgress) {
    progress(0, file.size);
    const bytes = new Uint8Array(await file.arrayBuffer());
    progress(file.size, file.size);
    await invoke('copy_in', bytes);
  }
  async backup(passphrase: string) {
    return { path: await invoke<string>('backup', { passphrase }) };
  }
  async recover(sent: Blob) {
    await invoke('recover', new Uint8Array(await sent.arrayBuffer()));
  }
}
