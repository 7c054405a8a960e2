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
}
