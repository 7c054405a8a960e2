import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { until } from './until';

/** The program under test. */
export const KIEZ = resolve(import.meta.dirname, '..', process.env['KIEZ'] ?? '../target/debug/kiez');
if (!existsSync(KIEZ)) throw new Error(`There is no ${KIEZ}: build it, or say by KIEZ where it is.`);

/** Where one person's things lie: the profile, and what else the system would lay into their folder. */
export class Home {
  readonly folder: string;
  constructor(folder: string) {
    this.folder = folder;
    mkdirSync(folder, { recursive: true });
  }
  get profile(): string {
    return `${this.folder}/profile`;
  }
  get env(): NodeJS.ProcessEnv {
    return {
      ...process.env, KIEZ_HOME: undefined, KIEZ_PASSPHRASE: undefined, HOME: this.folder, XDG_DATA_HOME: `${this.folder}/data`, XDG_CONFIG_HOME: `${this.folder}/config`, XDG_CACHE_HOME: `${this.folder}/cache`,
    };
  }
  /** Runs a command of the command line, and answers what it says. */
  async command(passphrase: string, ...args: string[]): Promise<unknown> {
    const { stdout } = await promisify(execFile)(KIEZ, ['--home', this.profile, '--json', ...args], { env: { ...this.env, KIEZ_PASSPHRASE: passphrase } });
    return JSON.parse(stdout) as unknown;
  }
}

const running = new Set<Running>();
process.on('exit', () => {
  for (const one of running) one.signal('SIGKILL');
});
// Whoever ends the tests, or whatever ran them, ends what they started.
for (const end of ['SIGINT', 'SIGTERM', 'SIGHUP', 'disconnect'] as const) process.on(end, () => process.exit(1));

/** A process that a test started, with those it started itself. */
export class Running {
  readonly process: ChildProcess;
  #said = '';
  #wrong = '';

  constructor(program: string, args: string[], env: NodeJS.ProcessEnv) {
    this.process = spawn(program, args, { env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    this.process.stdout?.on('data', (bytes: Buffer) => (this.#said += bytes.toString()));
    this.process.stderr?.on('data', (bytes: Buffer) => (this.#wrong = (this.#wrong + bytes.toString()).slice(-100_000)));
    this.process.on('error', (error) => (this.#wrong += error.message));
    running.add(this);
  }
  get pid(): number {
    return this.process.pid ?? 0;
  }
  get ended(): boolean {
    return this.process.exitCode !== null || this.process.signalCode !== null;
  }
  /** What it wrote to standard output, and the end of what it wrote to standard error. */
  get said(): string {
    return this.#said;
  }
  get wrong(): string {
    return this.#wrong;
  }
  /** Its children. */
  get children(): number[] {
    try {
      return readdirSync(`/proc/${this.pid}/task`)
        .flatMap((task) => readFileSync(`/proc/${this.pid}/task/${task}/children`, 'utf8').split(' '))
        .filter((pid) => pid !== '')
        .map(Number);
    } catch {
      return [];
    }
  }
  /** To the whole group of processes. */
  signal(name: NodeJS.Signals): void {
    try {
      if (this.pid > 0) process.kill(-this.pid, name);
    } catch {
      /* They are gone already. */
    }
  }
  async end(name: NodeJS.Signals): Promise<void> {
    this.signal(name);
    await until(`process ${this.pid} ends`, () => this.ended).catch(() => this.signal('SIGKILL'));
    // Who was left over of its group.
    this.signal('SIGKILL');
    running.delete(this);
  }
}

/** A port that nobody listens on just now. */
export function freePort(): Promise<number> {
  return new Promise((done, fail) => {
    const server = createServer();
    server.on('error', fail);
    server.listen(0, '127.0.0.1', () => {
      const at = server.address();
      server.close(() => (typeof at === 'object' && at ? done(at.port) : fail(new Error('no port'))));
    });
  });
}
