import { Channel, invoke } from '@tauri-apps/api/core';
import type { Backend, Link } from './backend';
import type { Action, News, Query } from './types';

/** The window: the program is the same process, so the line cannot be lost without the window going with it. */
export class TauriBackend implements Backend {
  ask(query: Query) {
    return invoke<unknown>('ask', { query });
  }
  act(action: Action) {
    return invoke<unknown>('act', { action });
  }
  listen(news: (event: News) => void, link: (state: Link) => void) {
    const channel = new Channel<News>();
    let on = true;
    channel.onmessage = (event) => {
      if (on) news(event);
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
  async copyIn(file: Blob, progress: (done: number) => void) {
    progress(0);
    await invoke('copy_in', new Uint8Array(await file.arrayBuffer()));
    progress(1);
  }
}
