import { freePort, Running } from './program';
import { until } from './until';

const WEBDRIVER = '/usr/bin/WebKitWebDriver';
/** What a command may take, in milliseconds. */
const COMMAND = 60_000;

interface Answer {
  value: unknown;
}

/** The W3C's WebDriver protocol, as far as it is needed here, to a WebKitWebDriver of our own that starts one program. */
export class WebDriver {
  readonly driver: Running;
  readonly #base: string;
  #session = '';
  #before: Promise<unknown> = Promise.resolve();

  private constructor(driver: Running, port: number) {
    this.driver = driver;
    this.#base = `http://127.0.0.1:${port}`;
  }

  static async start(program: string, args: string[], env: NodeJS.ProcessEnv): Promise<WebDriver> {
    const port = await freePort();
    const driver = new WebDriver(new Running(WEBDRIVER, [`--port=${port}`], { ...env, TAURI_WEBVIEW_AUTOMATION: 'true' }), port);
    try {
      await until('WebKitWebDriver is ready', () => driver.#send('GET', '/status'));
      const capabilities = { alwaysMatch: { 'webkitgtk:browserOptions': { binary: program, args } } };
      const session = (await driver.#send('POST', '/session', { capabilities })) as { sessionId: string };
      driver.#session = `/session/${session.sessionId}`;
      return driver;
    } catch (error) {
      const { wrong } = driver.driver;
      await driver.driver.end('SIGKILL');
      throw new Error(`The window does not open: ${String(error)} ${wrong}`);
    }
  }

  /** One command after the other: WebKitWebDriver loses the answers of two at once. */
  #send(method: 'GET' | 'POST', path: string, body?: object): Promise<unknown> {
    const answer = this.#before.then(() => this.#command(method, path, body));
    this.#before = answer.catch(() => undefined);
    return answer;
  }
  async #command(method: 'GET' | 'POST', path: string, body?: object): Promise<unknown> {
    const answer = await fetch(this.#base + path, { method, signal: AbortSignal.timeout(COMMAND), ...(body ? { body: JSON.stringify(body) } : {}) }).catch((error: unknown) => {
      throw new Error(`${method} ${path.replace(/\/session\/[^/]+/, '')} ${JSON.stringify(body ?? {}).slice(0, 300)}: ${String(error)}`);
    });
    const { value } = (await answer.json()) as Answer;
    if (!answer.ok) {
      const { error, message } = value as { error: string; message: string };
      throw new Error(`${method} ${path.replace(/\/session\/[^/]+/, '')}: ${error}: ${message}`);
    }
    return value;
  }
  get(path: string): Promise<unknown> {
    return this.#send('GET', this.#session + path);
  }
  post(path: string, body: object = {}): Promise<unknown> {
    return this.#send('POST', this.#session + path, body);
  }
}
