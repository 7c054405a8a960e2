import { flushSync, untrack } from 'svelte';

/** So many rows at first: about what a window shows; the next come a frame later. */
const FIRST = 12;
/** How long making more may take at a time, in milliseconds. */
const SLICE = 4;

/**
 * How many rows of a long list are made. A few at once, the others a slice a frame until all are there: so the first show at
 * once, nothing waits for two thousand, and search in the page and the keyboard reach the last.
 */
export class Growing {
  made = $state(FIRST);
  #step = FIRST;

  constructor(length: () => number) {
    $effect(() => {
      if (this.made >= length()) {
        // What comes to a list that is there shows with the next frame, not the one after.
        untrack(() => { this.made = Math.max(this.made, length() + FIRST); });
        return;
      }
      let timer: ReturnType<typeof setTimeout> | undefined;
      // Behind the frame, so that what is there is drawn first.
      const frame = requestAnimationFrame(() => { timer = setTimeout(() => this.#more(), 0); });
      return () => {
        cancelAnimationFrame(frame);
        clearTimeout(timer);
      };
    });
  }
  #more() {
    const from = performance.now();
    flushSync(() => { this.made += this.#step; });
    const took = Math.max(0.5, performance.now() - from);
    this.#step = Math.max(4, Math.min(120, Math.round((this.#step * SLICE) / took)));
  }
}
