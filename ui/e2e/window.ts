import { Display } from './display';
import { Home, KIEZ } from './program';
import type { Engine } from './screen';
import { until } from './until';
import { WebDriver } from './webdriver';

/** Keys as WebDriver writes them. */
const KEYS: Record<string, string> = {
  Tab: '\uE004', Enter: '\uE007', Shift: '\uE008', Control: '\uE009', Alt: '\uE00A', Escape: '\uE00C', End: '\uE010', Home: '\uE011',
  ArrowLeft: '\uE012', ArrowUp: '\uE013', ArrowRight: '\uE014', ArrowDown: '\uE015', Backspace: '\uE003', Delete: '\uE017',
};
type Step = { type: string; value?: string; duration?: number };

/** Kiez' own window, driven by WebKitWebDriver. */
export class WindowEngine implements Engine {
  readonly kind = 'window';
  readonly #driver: WebDriver;
  readonly #display: Display;

  private constructor(driver: WebDriver, display: Display) {
    this.#driver = driver;
    this.#display = display;
  }
  static async open(home: Home): Promise<WindowEngine> {
    const display = await Display.open();
    try {
      return new WindowEngine(await WebDriver.start(KIEZ, ['--home', home.profile], { ...home.env, DISPLAY: display.name }), display);
    } catch (error) {
      await display.close();
      throw error;
    }
  }

  async evaluate(script: string) {
    const wrapped = `const done = arguments[0];
      Promise.resolve().then(() => (${script})).then((value) => done({ value }), (error) => done({ error: String(error) }));`;
    const answer = (await this.#driver.post('/execute/async', { script: wrapped, args: [] })) as { value?: unknown; error?: string };
    if (answer.error !== undefined) throw new Error(answer.error);
    return answer.value;
  }
  async click(x: number, y: number) {
    const at = { duration: 0, x: Math.round(x), y: Math.round(y) };
    await this.#driver.post('/actions', {
      actions: [{ type: 'pointer', id: 'mouse', parameters: { pointerType: 'mouse' }, actions: [{ type: 'pointerMove', ...at }, { type: 'pointerDown', button: 0 }, { type: 'pointerUp', button: 0 }] }],
    });
  }
  async #keys(steps: Step[]) {
    await this.#driver.post('/actions', { actions: [{ type: 'key', id: 'keyboard', actions: steps }] });
  }
  async type(text: string, pace: number) {
    await this.#keys(
      [...text].flatMap((letter) => {
        const value = letter === '\n' ? '\uE007' : letter;
        return [{ type: 'keyDown', value }, { type: 'keyUp', value }, ...(pace > 0 ? [{ type: 'pause', duration: pace }] : [])];
      }),
    );
  }
  async press(...keys: string[]) {
    const values = keys.map((key) => KEYS[key] ?? key);
    await this.#keys([...values.map((value) => ({ type: 'keyDown', value })), ...values.toReversed().map((value) => ({ type: 'keyUp', value }))]);
  }
  async picture() {
    return Buffer.from(String(await this.#driver.get('/screenshot')), 'base64');
  }
  async resize(width: number, height: number) {
    await this.#driver.post('/window/rect', { x: 0, y: 0, width, height });
  }
  prefer() {
    return Promise.resolve(false);
  }
  log() {
    return this.#driver.driver.wrong;
  }
  async close() {
    const { driver } = this.#driver;
    // As closing a session of the desktop does: the program takes its leave.
    const [kiez] = driver.children;
    if (kiez !== undefined) process.kill(kiez, 'SIGTERM');
    await until('the window closes', () => !driver.children.includes(kiez ?? 0));
    await driver.end('SIGTERM');
    await this.#display.close();
  }
  async kill() {
    await this.#driver.driver.end('SIGKILL');
    await this.#display.close();
  }
}
