import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import * as page from './look';
import type { Seen, Wanted } from './look';
import { LIMIT, until } from './until';
import { type Language, type Words, words } from './words';

const require = createRequire(import.meta.url);
const library = readFileSync(require.resolve('@testing-library/dom/dist/@testing-library/dom.umd.min.js'), 'utf8');
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

/** One of the two that show the page: what hands and eyes do, and nothing that knows of the page. */
export interface Engine {
  readonly kind: Kind;
  /** Runs a script in the page; its value is answered, also when it has to be waited for. */
  evaluate(script: string): Promise<unknown>;
  click(x: number, y: number): Promise<void>;
  /** Types letter by letter; `pace` milliseconds lie between two letters. */
  type(text: string, pace: number): Promise<void>;
  /** Presses keys together, named as in `KeyboardEvent.key`. */
  press(...keys: string[]): Promise<void>;
  picture(whole: boolean): Promise<Buffer>;
  resize(width: number, height: number): Promise<void>;
  /** Light or dark, as the system says it; where that cannot be said, `false`. */
  prefer(look: 'light' | 'dark'): Promise<boolean>;
  /** The end of what the program wrote to standard error. */
  log(): string;
  /** Ends the program as a person would. */
  close(): Promise<void>;
  /** Ends it without a word. */
  kill(): Promise<void>;
}
export type Kind = 'window' | 'chromium';

const send = (run: (...args: never[]) => unknown, ...args: unknown[]) => `(${run.toString()})(${args.map((arg) => JSON.stringify(arg)).join(',')})`;

/** A page before somebody who sees and hears it, and presses and types. All waiting has a limit. */
export class Screen {
  readonly engine: Engine;
  language: Language = 'de';

  constructor(engine: Engine) {
    this.engine = engine;
  }
  get m(): Words {
    return words(this.language);
  }

  async #ask<T>(run: (...args: never[]) => T, ...args: unknown[]): Promise<Awaited<T>> {
    return (await this.engine.evaluate(send(run, ...args))) as Awaited<T>;
  }

  /** All that is there now. */
  async look(what: Wanted): Promise<Seen[]> {
    const seen = await this.#ask(page.look, what);
    if (seen) return seen;
    await this.engine.evaluate(`(() => { ${library} })()`);
    return (await this.#ask(page.look, what)) ?? [];
  }

  /** The one such thing, once it is there. */
  async see(role: string, name?: Wanted['name'], beside?: string, limit = LIMIT): Promise<Seen> {
    return until(describe(role, name, beside), () => this.#one(wanted(role, name, beside)), limit).catch((error: unknown) => this.#explain(error));
  }
  async #one(what: Wanted): Promise<Seen | null> {
    const seen = await this.look(what);
    if (seen.length > 1) throw new Error(`there are ${seen.length}: ${seen.map((one) => one.name).join(' / ')}`);
    return seen[0] ?? null;
  }

  /** Waits until no such thing is there any more. */
  async gone(role: string, name?: Wanted['name'], beside?: string): Promise<void> {
    await until(`no ${describe(role, name, beside)}`, async () => (await this.look(wanted(role, name, beside))).length === 0);
  }

  async press(role: string, name?: Wanted['name'], beside?: string): Promise<void> {
    const what = describe(role, name, beside);
    let before: Seen | null = null;
    const at = await until(`${what}, to be pressed`, async () => {
      const one = await this.#one({ ...wanted(role, name, beside), bring: true });
      if (one?.disabled) throw new Error('it cannot be pressed now');
      if (one?.covered) throw new Error(`something lies over it: ${one.covered}`);
      // What still moves is not where it was seen.
      const still = one !== null && before?.x === one.x && before.y === one.y;
      before = one;
      if (!still) await this.#drawn();
      return still ? one : null;
    }).catch((error: unknown) => this.#explain(error));
    await this.engine.click(at.x, at.y);
  }

  /** Types into the field of that name, in place of what was there. */
  async type(name: string, text: string, role = 'textbox', beside?: string): Promise<void> {
    await this.press(role, name, beside);
    if ((await this.see(role, name, beside)).value !== '') {
      await this.engine.press('Control', 'a');
      await this.engine.press('Delete');
    }
    await this.engine.type(text, 0);
    await until(`${name} reads ${text}`, async () => (await this.see(role, name, beside)).value === text);
  }
  async paste(name: string, text: string): Promise<void> {
    await this.press('textbox', name);
    await this.#ask(page.insert, text);
  }
  /** Types where the caret is, at a person's pace. */
  write(text: string, pace = 40): Promise<void> {
    return this.engine.type(text, pace);
  }
  key(...keys: string[]): Promise<void> {
    return this.engine.press(...keys);
  }

  /** All that can be read. */
  text(): Promise<string> {
    return this.#ask(page.readAll);
  }
  /** Waits until this can be read; answers what fits. */
  async read(words: string | RegExp): Promise<RegExpExecArray> {
    const pattern = typeof words === 'string' ? new RegExp(words.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/\s+/g, '\\s+').replace(/[\u2066-\u2069]/g, ''), 'u') : words;
    return until(`the words ${String(words)}`, async () => pattern.exec(await this.text())).catch((error: unknown) => this.#explain(error));
  }
  /** The texts of the items of the list under a heading. */
  async items(heading: string): Promise<string[]> {
    await this.see('heading', heading);
    return (await this.look({ role: 'listitem', beside: heading })).map((item) => item.text);
  }
  focus() {
    return this.#ask(page.focus);
  }

  /** Goes where an address leads. */
  async go(hash: string): Promise<void> {
    await this.engine.evaluate(`void (location.hash = ${JSON.stringify(hash)})`);
  }
  /** Waits until the place is drawn: a heading, letters loaded, nothing that is being opened. */
  async settled(): Promise<void> {
    await until('the place is drawn', () => this.engine.evaluate(`(() => document.querySelector('main h1') !== null && document.querySelector('[aria-busy=true]') === null
      && document.fonts.status === 'loaded' && document.getAnimations().every((animation) => animation.playState !== 'running'))()`));
    await this.#drawn();
  }
  /** Until what was done is drawn. */
  async #drawn(): Promise<void> {
    await this.engine.evaluate('new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))');
  }

  /** Chooses the language with the button on the first page. */
  async speak(language: Language): Promise<void> {
    const now = await until('the page says its language', async () => {
      const name = ['Deutsch', 'English'];
      const button = (await Promise.all(name.map((word) => this.look({ role: 'button', name: word })))).findIndex((found) => found.length > 0);
      return button === 0 ? 'en' : button === 1 ? 'de' : null;
    });
    this.language = language;
    if (now === language) return;
    await this.press('button', language === 'de' ? 'Deutsch' : 'English');
    await this.see('button', language === 'de' ? 'English' : 'Deutsch');
  }

  /** What axe finds fault with. */
  async violations(): Promise<string[]> {
    const found = await this.#ask(page.violations);
    if (found) return found;
    await this.engine.evaluate(`(() => { ${axe} })()`);
    return (await this.#ask(page.violations)) ?? ['axe is not there'];
  }

  picture(whole = false): Promise<Buffer> {
    return this.engine.picture(whole);
  }
  close(): Promise<void> {
    return this.engine.close();
  }

  async #explain(error: unknown): Promise<never> {
    const text = await this.text().catch(() => '(nothing: the page does not answer)');
    throw new Error(`${error instanceof Error ? error.message : String(error)}\nThe ${this.engine.kind} shows:\n${text.slice(0, 1500)}`);
  }
}

function wanted(role: string, name?: Wanted['name'], beside?: string): Wanted {
  return { role, ...(name === undefined ? {} : { name }), ...(beside === undefined ? {} : { beside }) };
}
function describe(role: string, name?: Wanted['name'], beside?: string): string {
  const called = name === undefined ? '' : ` “${typeof name === 'string' ? name : name.pattern}”`;
  return `${role}${called}${beside === undefined ? '' : ` beside “${beside}”`}`;
}
