/** The program that is measured: its homes, its processes, and what these need of memory. */
import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';

/** What the profiles of `year_profile` open with. */
export const PASSPHRASE = 'nur zum Messen';
export const wait = (time) => new Promise((done) => { setTimeout(done, time); });

/** Folders that go away at the end. In each a home like that of somebody who never started anything, and a copy of the profile. */
const made = [];
export function home(profile) {
  const folder = mkdtempSync(`${tmpdir()}/kiez-bench-`);
  made.push(folder);
  if (profile) cpSync(profile, `${folder}/profile`, { recursive: true });
  for (const name of ['data', 'config', 'cache']) mkdirSync(`${folder}/${name}`);
  const env = { ...process.env, KIEZ_HOME: undefined, KIEZ_PASSPHRASE: undefined, HOME: folder, XDG_DATA_HOME: `${folder}/data`, XDG_CONFIG_HOME: `${folder}/config`, XDG_CACHE_HOME: `${folder}/cache` };
  return { folder, profile: `${folder}/profile`, env, gone: () => rmSync(folder, { recursive: true, force: true }) };
}

const running = new Set();
process.on('exit', () => {
  for (const one of running) one.kill();
  for (const folder of made) rmSync(folder, { recursive: true, force: true });
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(1));

/** A process, the head of a group of its own, and all that it starts. */
export class Running {
  said = '';
  wrong = '';
  constructor(program, args, env = process.env, extra = []) {
    this.process = spawn(program, args, { env, detached: true, stdio: ['ignore', 'pipe', 'pipe', ...extra] });
    this.process.stdout.on('data', (bytes) => { this.said += bytes; });
    this.process.stderr.on('data', (bytes) => { this.wrong = (this.wrong + bytes).slice(-20_000); });
    this.process.on('error', (error) => { this.wrong += error.message; });
    this.ended = new Promise((done) => { this.process.on('close', done); });
    running.add(this);
  }
  get pid() {
    return this.process.pid ?? 0;
  }
  signal(name) {
    try {
      if (this.pid > 0) process.kill(-this.pid, name);
    } catch { /* They are gone already. */ }
  }
  kill() {
    const left = this.all();
    this.signal('SIGKILL');
    // Who began a group of its own.
    for (const { pid } of left) try { process.kill(pid, 'SIGKILL'); } catch { /* Gone. */ }
    running.delete(this);
  }
  /** As the end of a desktop's session would; what is left after a while, without asking. */
  async end() {
    this.signal('SIGTERM');
    await Promise.race([this.ended, wait(5_000)]);
    this.kill();
    await this.ended;
  }
  /** It and all that it started: children, theirs, and who is of the same session. */
  all() {
    const table = processes();
    const mine = new Set([this.pid]);
    for (let before = 0; before < mine.size; ) {
      before = mine.size;
      for (const { pid, parent, session } of table) if (mine.has(parent) || session === this.pid) mine.add(pid);
    }
    return table.filter(({ pid }) => mine.has(pid));
  }
}

function processes() {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).flatMap((name) => {
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      const [, parent, , session] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      const program = stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'));
      return [{ pid: Number(name), parent: Number(parent), session: Number(session), program }];
    } catch {
      return [];
    }
  });
}

/** The memory of these processes, in MB: what several share is divided among them (PSS). `own`: what no other has. */
export function memory(some) {
  const each = some.map(({ pid, program }) => {
    try {
      const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
      const kB = (name) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(rollup)?.[1] ?? 0);
      return { program, pss: kB('Pss') / 1000, own: (kB('Private_Clean') + kB('Private_Dirty')) / 1000, dirty: kB('Private_Dirty') / 1000 };
    } catch {
      return { program, pss: 0, own: 0, dirty: 0 };
    }
  });
  const sum = (of) => each.reduce((all, one) => all + one[of], 0);
  return { pss: sum('pss'), own: sum('own'), dirty: sum('dirty'), each: each.filter((one) => one.pss > 0) };
}

export function freePort() {
  return new Promise((done, fail) => {
    const server = createServer();
    server.on('error', fail);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => done(port));
    });
  });
}

/** `kiez serve`, and the address it printed, which works once. */
export async function serve(program, at) {
  const kiez = new Running(program, ['--home', at.profile, 'serve', '--listen', `127.0.0.1:${await freePort()}`], at.env);
  for (;;) {
    const address = /^(http:\S+)\n/.exec(kiez.said)?.[1];
    if (address) return { kiez, address };
    if (kiez.process.exitCode !== null) throw new Error(`kiez serve ended: ${kiez.wrong}`);
    await wait(2);
  }
}
