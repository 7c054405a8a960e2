/**
 * The page's speed bars, against the real program with a year of a neighbourhood in it: one table, and all figures as JSON.
 * usage: speed.mjs KIEZ PROFILE JSON   Both as built for release; the profile as `year_profile` makes it. Wants a session bus.
 *
 * As in the benchmarks of the core, a bar that does not hold is printed, and is no failure. A measurement that breaks is one.
 */
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join, resolve } from 'node:path';
import { home, serve, wait } from './kiez.mjs';

const [program, profile, to] = process.argv.slice(2).map((path) => resolve(path));
if (!to) throw new Error('usage: speed.mjs KIEZ PROFILE JSON');
const log = (text) => process.stdout.write(`${text}\n`);

/** Runs another script; answers what it printed. */
function run(script, ...args) {
  return new Promise((done, fail) => {
    const child = spawn(process.execPath, [join(import.meta.dirname, script), ...args], { cwd: join(import.meta.dirname, '..'), stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '', wrong = '';
    child.stdout.on('data', (bytes) => { said += bytes; });
    child.stderr.on('data', (bytes) => { wrong += bytes; });
    child.on('error', fail);
    child.on('close', (code) => (code === 0 ? done(said) : fail(new Error(`${script} ended with ${code}: ${said}${wrong}`))));
  });
}
/** The same, on a server of its own with a fresh copy of the profile. */
async function served(script, ...args) {
  const at = home(profile);
  const { kiez, address } = await serve(program, at);
  try {
    return JSON.parse(await run(script, address, ...args));
  } finally {
    await kiez.end();
    at.gone();
  }
}

/** How much of the processors others use, in percent, over two seconds. */
async function busy() {
  const now = () => {
    const [user, nice, system, idle, io, ...rest] = readFileSync('/proc/stat', 'utf8').split('\n')[0].split(/\s+/).slice(1, 9).map(Number);
    const used = user + nice + system + rest.reduce((sum, one) => sum + one, 0);
    return { used, all: used + idle + io };
  };
  const before = now();
  await wait(2_000);
  const after = now();
  return Math.round((100 * (after.used - before.used)) / (after.all - before.all));
}
const QUIET = 10, PATIENCE = Number(process.env.KIEZ_BENCH_PATIENCE ?? 60) * 1_000;
const noise = {};
/** Waits a while for the computer to have nothing else to do; says how much it had. */
async function quietly(name, measure) {
  const from = performance.now();
  let used = await busy();
  while (used > QUIET && performance.now() - from < PATIENCE) used = await busy();
  const begun = performance.now();
  const answer = await measure().catch((error) => {
    log(`  ${name}: FAILED: ${String(error)}`);
    process.exitCode = 1;
    return null;
  });
  noise[name] = { busyBefore: used, load: loadavg()[0] };
  log(`  ${name}: ${Math.round((performance.now() - begun) / 1000)} s${used > QUIET ? `; the computer was busy with other things by ${used} %` : ''}`);
  return answer;
}

const lines = [];
/** A figure, the most that it may be, and what stands behind it. */
function line(what, value, bar, unit, beside) {
  lines.push({ what, value, bar, unit, holds: value <= bar, beside });
}

function ofWindow(report) {
  const of = report.cold ?? report.warm;
  const times = (first) => `window ${first.window.p50} ms (${first.window.least} to ${first.window.most}), Chromium ${first.browser.p50} ms (${first.browser.least} to ${first.browser.most}), with starting kiez serve ${first.both.p50} ms`;
  const ratio = (first, to) => (first.window.p50 / first[to].p50).toFixed(3);
  const { memory } = of;
  line('window: first letters from a cold start, to chromium --app', of.first.window.p50 / of.first.browser.p50, 1, '', [
    `${report.cold ? 'nothing of the disk in memory' : 'WARM: what was read from the disk can be forgotten only by root'}: ${times(of.first)}; with it: ratio ${ratio(of.first, 'both')}`,
    `what was read from the disk still in memory: ${times(report.warm.first)}; ratios ${ratio(report.warm.first, 'browser')} and ${ratio(report.warm.first, 'both')}`,
    `Chromium's server runs already, and is not counted; ${report.runs} starts each, in turn`,
  ]);
  line('window: memory on its first page, to chromium --app', memory.window.p50 / memory.browser.p50, 1, '', [
    `window ${memory.window.p50} MB, Chromium ${memory.browser.p50} MB without kiez serve, ${memory.both.p50} MB with it (ratio ${(memory.window.p50 / memory.both.p50).toFixed(3)}); all their processes, PSS`,
    ...Object.entries(of.processes).map(([kind, all]) => `${kind}: ${all}`),
  ]);
}
function ofPaint(rhythm, atOnce) {
  const kinds = ['comment', 'task', 'cast'];
  const each = (report) => kinds.map((kind) => `${kind} ${report[kind].painted.p95}`).join(', ');
  const worst = (report) => Math.max(...kinds.map((kind) => report[kind].painted.p95));
  line('an action\'s change painted after its commit returned, p95, worst kind', worst(atOnce), 16, ' ms', [
    `browser that makes a frame as soon as something changed; ${atOnce.actions} actions: p50 ${atOnce.all.painted.p50} ms; p95 of ${each(atOnce)}; one word in an empty page ${atOnce.floor.painted.p95}`,
    `browser at 60 frames a second, where waiting for the frame counts: p50 ${rhythm.all.painted.p50}, p95 ${rhythm.all.painted.p95} ms; p95 of ${each(rhythm)}; one word in an empty page p50 ${rhythm.floor.painted.p50}, p95 ${rhythm.floor.painted.p95}`,
    `from the press of the button p50 ${atOnce.all.pressed.p50}, p95 ${atOnce.all.pressed.p95}; at 60 frames a second p95 ${rhythm.all.pressed.p95}. Ticks and comments show while Kiez writes them down`,
    `from the first byte of the answer until the page hears of it p95 ${atOnce.all.heard.p95}, until its text stands ${atOnce.all.ready.p95}`,
  ]);
}
function ofScroll({ places }) {
  const all = Object.entries(places).filter(([, place]) => place.scrolling.frames > 20);
  const most = (of) => Math.max(...all.map(([, place]) => of(place)));
  line('scrolling: main-thread work a frame, p95, worst list', most((place) => place.scrolling.cpu.p95), 8, ' ms', ['the time that the thread itself had of a processor']);
  line('scrolling: the same as the clock says', most((place) => place.scrolling.p95), 8, ' ms', ['with the time in which others had the processor: who paints in software, and drives the browser', ...all.map(([name, { rows, scrolling }]) =>
    `${name} (${rows} rows, ${scrolling.frames} frames): p50 ${scrolling.p50}, p95 ${scrolling.p95}, max ${scrolling.max} ms; the thread itself p95 ${scrolling.cpu.p95}`)]);
  line('scrolling: longest task, worst list', most((place) => place.scrolling.longest), 50, ' ms', all.map(([name, { scrolling, opening }]) =>
    `${name}: ${scrolling.longest} ms (cpu ${scrolling.longestCpu}); while the list opens ${opening.longest} ms`));
}
function table() {
  log(`\n${'measured'.padEnd(72)} ${'figure'.padStart(10)} ${'at most'.padStart(10)}`);
  for (const { what, value, bar, unit, holds, beside } of lines) {
    const number = (of) => `${of.toFixed(unit === '' ? 3 : 1)}${unit}`.padStart(10);
    log(`${what.padEnd(72)} ${number(value)} ${number(bar)}  ${holds ? 'holds' : 'DOES NOT HOLD'}`);
    for (const one of beside) log(`    ${one}`);
  }
}

const actions = '90';
const [, firstScript, script] = /initial script: ([\d.]+) kB gzip; with the first place: ([\d.]+) kB/.exec(await run('../scripts/size.mjs'));
const api = await quietly('answers', () => served('api.mjs'));
const started = await quietly('window', async () => JSON.parse(await run('window.mjs', program, profile)));
const atOnce = await quietly('actions', () => served('paint.mjs', actions, '--at-once'));
const rhythm = await quietly('actions at 60 frames a second', () => served('paint.mjs', actions));
const scroll = await quietly('scrolling', () => served('scroll.mjs'));
if (started) ofWindow(started);
if (rhythm && atOnce) ofPaint(rhythm, atOnce);
if (scroll) ofScroll(scroll);
line('script of the first page, compressed', Number(script), 150, ' kB', [`without its first place ${firstScript} kB`]);
table();
if (api) log(`\nanswers of kiez serve, p50 in ms: ${Object.entries(api).map(([what, { p50, first, kB }]) => `${what} ${p50} (first ${first}; ${kB} kB)`).join(', ')}`);
const machine = { processors: cpus().length, model: cpus()[0]?.model };
writeFileSync(to, `${JSON.stringify({ lines, machine, noise, window: started, paint: { atOnce, rhythm }, scroll, api }, null, 1)}\n`);
log(`${machine.processors} processors (${machine.model}); all figures: ${to}`);
