/**
 * Scrolls every list with the wheel and reads in Chromium's trace what the main thread did. Prints JSON.
 * usage: scroll.mjs ADDRESS [PLACE...]   ADDRESS: of the local server, or `http://…/?demo=year`
 * `opening`: the longest task while the list is first made. `scrolling`: main-thread work between two drawn
 * frames; `cpu`: the same without the time in which other processes had the core.
 */
import { launch, ms, open, percentile, traced, work } from './trace.mjs';

const [address, ...chosen] = process.argv.slice(2);
if (!address) throw new Error('usage: scroll.mjs ADDRESS [PLACE...]');
const places = chosen.length > 0 ? chosen : ['ideas', 'tasks', 'tasks/all', 'tasks/ideas', 'decisions', 'people', 'settings', 'today'];
const WHEEL = 120;

const browser = await launch();
const { page, errors } = await open(browser, address);
const go = (place) => page.evaluate((hash) => { location.hash = hash; }, `#/${place}`);
const rows = () => page.evaluate(() => document.querySelectorAll('main li, main [role=listitem]').length);

/** All rows are made in slices: this waits for the last. */
async function settled() {
  await page.waitForSelector('main h1');
  let before = -1;
  for (let quiet = 0; quiet < 3; ) {
    await page.waitForTimeout(200);
    const now = await rows();
    quiet = now === before ? quiet + 1 : 0;
    before = now;
  }
}
async function scroll() {
  await page.mouse.move(700, 500);
  const far = await page.evaluate(() => document.documentElement.scrollHeight - innerHeight);
  // Down, to the end if that is not too far; then up again faster.
  for (let turned = 0; turned < Math.min(far / WHEEL + 5, 200); turned += 1) {
    await page.mouse.wheel(0, WHEEL);
    await page.waitForTimeout(16);
  }
  for (let turned = 0; turned < 40; turned += 1) {
    await page.mouse.wheel(0, -4 * WHEEL);
    await page.waitForTimeout(16);
  }
  return far;
}

const figures = (sums) => ({ p50: ms(percentile(sums, 0.5)), p95: ms(percentile(sums, 0.95)), max: ms(Math.max(0, ...sums)) });
const longest = ({ tasks }) => ({ longest: ms(Math.max(0, ...tasks.map((t) => t.long))), longestCpu: ms(Math.max(0, ...tasks.map((t) => t.cpu))), over50: tasks.filter((t) => t.long > 50).map((t) => `${ms(t.long)} (cpu ${ms(t.cpu)})`) });
const report = {};
for (const place of places) {
  await go('more');
  await page.waitForTimeout(300);
  const opening = await traced(page, async () => {
    await go(place);
    await page.waitForTimeout(100);
    await settled();
  });
  if (place === 'settings') {
    const all = page.locator('main .reaches + p button');
    if (await all.count()) await all.click();
    await settled();
  }
  let far = 0;
  const trace = await traced(page, async () => { far = await scroll(); });
  const { wall, cpu } = work(trace);
  report[place] = {
    rows: await rows(), height: Math.round(far),
    opening: longest(opening),
    scrolling: { frames: wall.length, ...figures(wall), cpu: figures(cpu), ...longest(trace) },
  };
}
await browser.close();
process.stdout.write(`${JSON.stringify({ places: report, errors }, null, 1)}\n`);
const moved = Object.values(report).some((place) => place.scrolling.frames > 0);
process.exitCode = !moved || errors.length > 0 ? 1 : 0;
