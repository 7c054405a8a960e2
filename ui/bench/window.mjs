/**
 * The window beside the same page in Chromium: how long from its start to the first letters on the display, and how much memory.
 * Prints JSON. usage: window.mjs KIEZ PROFILE [RUNS]   Wants a session bus of its own: dbus-run-session.
 *
 * Both are started from nothing: a home that never saw either, the profile locked, so both show the page that asks who is
 * there. Time runs from starting the process until the display itself shows letters (`screen.mjs`), which asks neither engine.
 * `window`: of `kiez`. `browser`: of `chromium --app=…`, while `kiez serve` runs already, which nobody has who starts from
 * nothing. `both`: from starting `kiez serve`, too. `cold`: after what was read from the disk is forgotten (only as root).
 * Memory: of all processes that were started, settled; what they share with each other is counted once (PSS).
 */
import { writeFileSync } from 'node:fs';
import { home, memory, Running, serve, wait } from './kiez.mjs';
import { Display, firstContent, HEIGHT, WIDTH } from './screen.mjs';
import { CHROMIUM, ms, percentile } from './trace.mjs';

const [program, profile, runs = '7'] = process.argv.slice(2);
if (!profile) throw new Error('usage: window.mjs KIEZ PROFILE [RUNS]');
const SETTLED = 3_000;
const FORGET = '/proc/sys/vm/drop_caches';
const root = process.getuid?.() === 0;

/** What was read from the disk has to be read again. */
async function forget() {
  writeFileSync(FORGET, '3');
  await wait(500);
}
const canForget = await forget().then(() => true, () => false);
const display = await Display.open();

/** The first letters, then the memory. */
async function watch(run, from) {
  const seen = await firstContent(display);
  await wait(SETTLED);
  return { first: seen.first - from, whole: seen.last - from, letters: seen.dark, memory: memory(run.all()) };
}
async function aWindow(cold) {
  const at = home(profile);
  if (cold) await forget();
  const from = performance.now();
  const run = new Running(program, ['--home', at.profile], { ...at.env, DISPLAY: display.name });
  try {
    return await watch(run, from);
  } finally {
    await run.end();
    at.gone();
  }
}
async function aBrowser(cold) {
  const at = home(profile);
  if (cold) await forget();
  const before = performance.now();
  const { kiez, address } = await serve(program, at);
  const up = performance.now() - before;
  if (cold) await forget();
  const args = [`--app=${address}`, `--user-data-dir=${at.folder}/browser`, '--no-first-run', '--no-default-browser-check', '--window-position=0,0', `--window-size=${WIDTH},${HEIGHT}`];
  const from = performance.now();
  // As root it starts in no other way.
  const run = new Running(CHROMIUM, root ? [...args, '--no-sandbox'] : args, { ...at.env, DISPLAY: display.name });
  try {
    return { ...(await watch(run, from)), up, server: memory(kiez.all()) };
  } finally {
    await run.end();
    await kiez.end();
    at.gone();
  }
}

const middle = (values) => percentile(values, 0.5);
const spread = (values) => ({ p50: ms(middle(values)), least: ms(Math.min(...values)), most: ms(Math.max(...values)) });
/** One after the other in turn, so that what else the computer does meets both. */
async function series(cold) {
  const windows = [], browsers = [];
  for (let n = 0; n < Number(runs); n += 1) {
    for (const kind of n % 2 ? ['browser', 'window'] : ['window', 'browser']) {
      if (kind === 'window') windows.push(await aWindow(cold));
      else browsers.push(await aBrowser(cold));
    }
  }
  const first = { window: spread(windows.map((run) => run.first)), browser: spread(browsers.map((run) => run.first)), both: spread(browsers.map((run) => run.up + run.first)) };
  const whole = { window: spread(windows.map((run) => run.whole)), browser: spread(browsers.map((run) => run.whole)) };
  const mb = { window: spread(windows.map((run) => run.memory.pss)), browser: spread(browsers.map((run) => run.memory.pss)), both: spread(browsers.map((run) => run.memory.pss + run.server.pss)) };
  const each = { window: windows.at(-1).memory.each, browser: browsers.at(-1).memory.each, server: browsers.at(-1).server.each };
  return { first, whole, memory: mb, processes: Object.fromEntries(Object.entries(each).map(([kind, all]) => [kind, all.map((one) => `${one.program} ${Math.round(one.pss)}`).join(', ')])) };
}

// Once uncounted: what a desktop's session starts for the first program (accessibility, say) belongs to neither.
await aWindow(false);
await aBrowser(false);
const report = { runs: Number(runs), warm: await series(false), cold: canForget ? await series(true) : null };
await display.close();
process.stdout.write(`${JSON.stringify(report, null, 1)}\n`);
