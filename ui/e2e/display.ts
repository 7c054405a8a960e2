import { Running } from './program';
import { until } from './until';

/**
 * A display that nobody sees. Each window has its own, as each person has: without a window manager only one window of a display
 * has the keyboard, and `:focus` holds in no other.
 */
export class Display {
  readonly name: string;
  readonly #server: Running;

  private constructor(server: Running, name: string) {
    this.#server = server;
    this.name = name;
  }
  static async open(): Promise<Display> {
    const server = new Running('Xvfb', ['-displayfd', '1', '-screen', '0', '1280x800x24', '-nolisten', 'tcp', '+extension', 'GLX'], process.env);
    const number = await until('a display', () => {
      if (server.ended) throw new Error(server.wrong);
      return /^(\d+)\n/.exec(server.said)?.[1];
    }).catch(async (error: unknown) => {
      await server.end('SIGKILL');
      throw error;
    });
    return new Display(server, `:${number}`);
  }
  close(): Promise<void> {
    return this.#server.end('SIGTERM');
  }
}
