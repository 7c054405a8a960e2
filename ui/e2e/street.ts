import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { resolve } from 'node:path';
import type { TestContext } from 'vitest';
import { ChromiumEngine, closeBrowser } from './chromium';
import { Home } from './program';
import { type Kind, Screen } from './screen';
import { WindowEngine } from './window';
import type { Language } from './words';

/** Where pictures of what failed are laid, and what the programs said (KIEZ_LOG=kiez_core=debug makes them say more). */
const FAILED = resolve(import.meta.dirname, 'failed');

/** Neighbours side by side on this computer, each with a home. Whatever happens, all that was opened is closed at the end. */
export class Street {
  readonly folder = mkdtempSync(`${tmpdir()}/kiez-e2e-`);
  readonly #open = new Set<Screen>();

  home(name: string): Home {
    return new Home(`${this.folder}/${name}`);
  }
  /** Opens Kiez at somebody's. */
  async open(kind: Kind, home: Home, language: Language): Promise<Screen> {
    const engine = kind === 'window' ? await WindowEngine.open(home) : await ChromiumEngine.open(home, language);
    const screen = new Screen(engine);
    this.#open.add(screen);
    return screen;
  }
  async close(screen: Screen): Promise<void> {
    this.#open.delete(screen);
    await screen.close();
  }

  async photograph(folder: string): Promise<void> {
    mkdirSync(folder, { recursive: true });
    for (const [n, screen] of [...this.#open].entries()) {
      writeFileSync(`${folder}/${n + 1}.log`, screen.engine.log());
      await screen.picture().then(
        (bytes) => writeFileSync(`${folder}/${n + 1}.png`, bytes),
        () => undefined,
      );
    }
  }
  async end(): Promise<void> {
    await Promise.all([...this.#open].map((screen) => screen.engine.kill().catch(() => undefined)));
    await closeBrowser();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A test in a street of its own. */
export function inAStreet(tell: (street: Street) => Promise<void>): (context: TestContext) => Promise<void> {
  return async ({ task }) => {
    const failed = `${FAILED}/${`${task.suite?.name ?? ''} ${task.name}`.trim().replace(/[^\p{L}\p{N}]+/gu, '-')}`;
    rmSync(failed, { recursive: true, force: true });
    const street = new Street();
    try {
      await tell(street);
    } catch (error) {
      await street.photograph(failed);
      throw error;
    } finally {
      await street.end();
    }
  };
}
