import type { Action, News, Query } from './types';

/** Is the line to the program that keeps everything open? `anew`: it was started anew and does not know this page yet. */
export type Link = 'open' | 'lost' | 'anew';

/** How far a copy is on its way, in bytes. `of`: nobody knows how many there will be. */
export type CopyProgress = (done: number, of: number | null) => void;

/** One of the three ways to Kiez: window, local server, memory. Answers are what `client.ts` says they are. */
export interface Backend {
  ask(query: Query, stop?: AbortSignal): Promise<unknown>;
  act(action: Action): Promise<unknown>;
  /** Calls `news` for each event and `link` when the line is lost or open again. Returns how to stop. */
  listen(news: (event: News) => void, link: (state: Link) => void): () => void;
  /** Does `stop` end the making of a copy, or the handing over of one? What Kiez already takes in is taken in whole. */
  readonly stops: boolean;
  /** The copy of a group, as a file: its bytes, or the path where it was laid. */
  copyOut(group: string, progress: CopyProgress, stop: AbortSignal): Promise<{ bytes: Blob; name: string } | { path: string }>;
  copyIn(file: Blob, progress: CopyProgress, stop: AbortSignal): Promise<void>;
  /** A backup of the whole profile, as a file. */
  backup(passphrase: string): Promise<{ bytes: Blob; name: string } | { path: string }>;
  /** Makes a profile of one. `sent`: the passphrase, and the backup, in one (`recovering`). */
  recover(sent: Blob): Promise<void>;
}

/** What is sent to make a profile of a backup: the length of the passphrase, the passphrase, the backup. */
export function recovering(backup: Blob, passphrase: string): Blob {
  const letters = new TextEncoder().encode(passphrase);
  const length = new DataView(new ArrayBuffer(4));
  length.setUint32(0, letters.length, true);
  return new Blob([length.buffer, letters, backup]);
}
