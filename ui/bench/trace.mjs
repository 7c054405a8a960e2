/** What Chromium's trace says about the page's main thread. */
import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';
import { PASSPHRASE } from './kiez.mjs';

export const CHROMIUM = process.env.CHROMIUM ?? ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find(existsSync);
export const launch = (...args) => chromium.launch({ executablePath: CHROMIUM, args });

/** Opens the address, and the profile behind it. The local server's one-time key goes with it, so it is opened only once. */
export async function open(browser, address, viewport = { width: 1280, height: 900 }) {
  const context = await browser.newContext({ viewport, locale: 'de-DE' });
  const page = await context.newPage();
  const errors = [];
  page.on('pageerror', (error) => errors.push(String(error)));
  await page.goto(address);
  await page.waitForSelector('main h1');
  const asked = page.locator('main input[type=password]');
  if (!('demo' in Object.fromEntries(new URL(address).searchParams)) && await asked.count()) {
    await asked.fill(PASSPHRASE);
    await page.locator('main form button').click();
    await page.waitForSelector('nav a[href^="#/ideas"]');
    await page.waitForSelector('main h1');
  }
  return { page, errors };
}

export const percentile = (values, part) => {
  if (values.length === 0) return 0;
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(part * sorted.length) - 1)];
};
export const ms = (number) => Math.round(number * 10) / 10;

/** Traces while `work` is done. */
export async function traced(page, work) {
  const session = await page.context().newCDPSession(page);
  const events = [];
  session.on('Tracing.dataCollected', ({ value }) => events.push(...value));
  const complete = new Promise((done) => session.once('Tracing.tracingComplete', done));
  await session.send('Tracing.start', {
    transferMode: 'ReportEvents',
    traceConfig: { includedCategories: ['toplevel', 'devtools.timeline', 'disabled-by-default-devtools.timeline', 'devtools.timeline.frame', 'disabled-by-default-devtools.timeline.frame'] },
  });
  await work();
  await session.send('Tracing.end');
  await complete;
  await session.detach();
  return read(events);
}

/** The tasks of the main thread that the page runs on, in milliseconds, and when frames were drawn. */
function read(events) {
  const threads = events.filter((e) => e.name === 'thread_name');
  const mains = new Set(threads.filter((e) => e.args.name === 'CrRendererMain').map((e) => `${e.pid} ${e.tid}`));
  const tasks = new Map();
  for (const e of events) {
    const thread = `${e.pid} ${e.tid}`;
    if (e.name !== 'RunTask' || e.ph !== 'X' || !mains.has(thread)) continue;
    if (!tasks.has(thread)) tasks.set(thread, []);
    tasks.get(thread).push({ at: e.ts / 1000, long: (e.dur ?? 0) / 1000, cpu: (e.tdur ?? e.dur ?? 0) / 1000 });
  }
  const busy = (of) => of.reduce((sum, task) => sum + task.long, 0);
  const [thread, main] = [...tasks].toSorted((a, b) => busy(b[1]) - busy(a[1]))[0] ?? ['', []];
  const pid = Number(thread.split(' ')[0]);
  const frames = events.filter((e) => e.name === 'DrawFrame' && e.pid === pid).map((e) => e.ts / 1000).toSorted((a, b) => a - b);
  return { tasks: main, frames };
}

/**
 * How long the main thread worked between two drawn frames: as the clock says (`wall`), and without the time in which other
 * processes had the core (`cpu`).
 */
export function work({ tasks, frames }) {
  const wall = [], cpu = [];
  for (let n = 1; n < frames.length; n += 1) {
    const [from, to] = [frames[n - 1], frames[n]];
    let sum = 0, used = 0;
    for (const task of tasks) {
      const part = Math.max(0, Math.min(to, task.at + task.long) - Math.max(from, task.at));
      sum += part;
      if (task.long > 0) used += (part / task.long) * Math.min(task.cpu, task.long);
    }
    wall.push(sum);
    cpu.push(used);
  }
  return { wall, cpu };
}
