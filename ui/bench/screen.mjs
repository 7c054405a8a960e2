/** A display that nobody sees, whose picture lies in a file: what is on it is read there, without asking any of its programs. */
import { closeSync, mkdtempSync, openSync, readSync, rmSync } from 'node:fs';
import { Running, wait } from './kiez.mjs';

export const WIDTH = 1120, HEIGHT = 800;
/** What is looked at: below a title bar, and every third line, which meets each letter several times. */
const TOP = 60, STEP = 3;
/** So many dark points are letters. A few could be the edge of a window. */
const LETTERS = 150;
/** So few that come and go are the cursor in a field, which blinks for as long as one looks. */
const CURSOR = 40;

export class Display {
  #file = 0;
  #folder = '';
  #server = null;
  #start = 0;
  #line = 0;
  name = '';

  /** The display's ground is white, so that dark points are what programs draw. */
  static async open() {
    const display = new Display();
    display.#folder = mkdtempSync('/dev/shm/kiez-bench-');
    process.on('exit', () => rmSync(display.#folder, { recursive: true, force: true }));
    const args = ['-displayfd', '3', '-screen', '0', `${WIDTH}x${HEIGHT}x24`, '-wr', '-nolisten', 'tcp', '-fbdir', display.#folder, '+extension', 'GLX'];
    const server = new Running('Xvfb', args, process.env, ['pipe']);
    let number = '';
    server.process.stdio[3].on('data', (bytes) => { number += bytes; });
    for (let tried = 0; !number.includes('\n'); tried += 1) {
      if (tried > 1000 || server.process.exitCode !== null) throw new Error(`no display: ${server.wrong}`);
      await wait(10);
    }
    display.#server = server;
    display.name = `:${number.trim()}`;
    display.#file = openSync(`${display.#folder}/Xvfb_screen0`, 'r');
    // The head of a picture in xwd's format: its own length, the length of a line, and how many colours stand behind it.
    const head = Buffer.alloc(100);
    readSync(display.#file, head, 0, 100, 0);
    display.#line = head.readUInt32BE(48);
    display.#start = head.readUInt32BE(0) + head.readUInt32BE(76) * 12;
    return display;
  }
  async close() {
    closeSync(this.#file);
    await this.#server.end();
  }

  /** What is on it: how many dark points there are, whether most of it is light, and a number that another picture would not have. */
  look() {
    const line = Buffer.alloc(WIDTH * 4);
    let dark = 0, all = 0, sum = 0;
    for (let y = TOP; y < HEIGHT; y += STEP) {
      readSync(this.#file, line, 0, line.length, this.#start + y * this.#line);
      for (let x = 0; x < line.length; x += 4) {
        const [b, g, r] = [line[x], line[x + 1], line[x + 2]];
        if (r * 3 + g * 6 + b < 1100) dark += 1;
        sum = (Math.imul(sum, 31) + (r << 16 | g << 8 | b)) | 0;
      }
      all += WIDTH;
    }
    return { dark, text: dark > LETTERS && dark < all / 4, sum };
  }
}

/**
 * Watches the display from now on, until nothing moved for `still` milliseconds after the first letters. Answers when the first
 * letters and the last change were seen, as `performance.now()` counts.
 */
export async function firstContent(display, still = 1_500, limit = 60_000) {
  const from = performance.now();
  let first = 0, last = 0, before = { sum: null, dark: -Infinity }, looks = 0;
  for (;;) {
    const now = performance.now();
    const seen = display.look();
    looks += 1;
    if (seen.text && first === 0) first = now;
    if (seen.sum !== before.sum && Math.abs(seen.dark - before.dark) > CURSOR) last = now;
    before = seen;
    if (first > 0 && now - last > still) return { first, last, dark: seen.dark, every: (now - from) / looks };
    if (now - from > limit) throw new Error(first > 0 ? `the display is not still after ${limit} ms` : `no letters on the display after ${limit} ms`);
    await wait(4);
  }
}
