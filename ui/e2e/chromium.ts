import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { freePort, Home, KIEZ, Running } from './program';
import type { Engine } from './screen';
import { until } from './until';
import type { Language } from './words';

const CHROMIUM = '/usr/bin/chromium';
let launched: Promise<Browser> | null = null;
/** One browser for all of a file of tests: each person has a session of their own in it. */
export function browser(): Promise<Browser> {
  return (launched ??= chromium.launch({ executablePath: CHROMIUM }));
}
export async function closeBrowser(): Promise<void> {
  await (await launched)?.close();
  launched = null;
}

/** `kiez serve`, and the address it printed. */
export async function serve(home: Home, port = 0): Promise<{ kiez: Running; address: string }> {
  const listen = `127.0.0.1:${port === 0 ? await freePort() : port}`;
  const kiez = new Running(KIEZ, ['--home', home.profile, 'serve', '--listen', listen], home.env);
  const address = await until('kiez serve prints its address', () => {
    if (kiez.ended) throw new Error(kiez.wrong);
    return /^(http:\S+)\n/.exec(kiez.said)?.[1];
  }).catch(async (error: unknown) => {
    await kiez.end('SIGKILL');
    throw error;
  });
  return { kiez, address };
}

/** The page in Chromium, from `kiez serve`. */
export class ChromiumEngine implements Engine {
  readonly kind = 'chromium';
  /** The program that serves it. A test that ends it puts the next one here. */
  kiez: Running;
  readonly page: Page;
  readonly #context: BrowserContext;

  private constructor(kiez: Running, page: Page, context: BrowserContext) {
    this.kiez = kiez;
    this.page = page;
    this.#context = context;
  }
  static async open(home: Home, language: Language): Promise<ChromiumEngine> {
    const { kiez, address } = await serve(home);
    const context = await (await browser()).newContext({ viewport: { width: 1120, height: 800 }, reducedMotion: 'reduce', locale: language === 'de' ? 'de-DE' : 'en-GB' });
    const page = await context.newPage();
    await page.goto(address);
    return new ChromiumEngine(kiez, page, context);
  }

  get port(): number {
    return Number(new URL(this.page.url()).port);
  }
  evaluate(script: string) {
    return this.page.evaluate(script);
  }
  click(x: number, y: number) {
    return this.page.mouse.click(x, y);
  }
  type(text: string, pace: number) {
    return this.page.keyboard.type(text, { delay: pace });
  }
  press(...keys: string[]) {
    return this.page.keyboard.press(keys.map((key) => (key === ' ' ? 'Space' : key)).join('+'));
  }
  picture(whole: boolean) {
    // On a busy computer a picture is now and then waited for in vain; the next one comes.
    const take = () => this.page.screenshot({ fullPage: whole, timeout: 10_000 });
    return take().catch(take);
  }
  resize(width: number, height: number) {
    return this.page.setViewportSize({ width, height });
  }
  async prefer(look: 'light' | 'dark') {
    await this.page.emulateMedia({ colorScheme: look });
    return true;
  }
  log() {
    return this.kiez.wrong;
  }
  async close() {
    await this.#context.close();
    await this.kiez.end('SIGTERM');
  }
  async kill() {
    await this.kiez.end('SIGKILL');
    await this.#context.close();
  }
}
