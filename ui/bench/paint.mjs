/**
 * How long after the answer to an action its change is on the screen. Prints JSON.
 * usage: paint.mjs ADDRESS [ACTIONS]   ADDRESS: of the local server, or `http://…/?demo=year`
 * `frame`: from the answer to the beginning of the frame that shows it, which the display's rhythm of 16.7 ms is part of.
 * `ready`: from the answer until the page's text says it, and nothing more is to be done before a frame.
 * `painted`: from the answer until that frame was handed over for painting.
 */
import { launch, ms, open, percentile } from './trace.mjs';

const [address, count = '50'] = process.argv.slice(2);
if (!address) throw new Error('usage: paint.mjs ADDRESS [ACTIONS]');
const browser = await launch();
const { page, errors } = await open(browser, address);

/** In the page: marks when an action was answered, and when a frame shows what is waited for. */
await page.evaluate(() => {
  const watch = { shows: null, done: null, answered: 0, ready: 0 };
  window.kiezWatch = watch;
  const seen = () => watch.shows !== null && watch.shows();
  const answered = () => {
    if (watch.shows === null || watch.answered > 0) return;
    watch.answered = performance.now();
    performance.mark('kiez-answered');
    const frame = () => {
      if (!seen()) return requestAnimationFrame(frame);
      const { shows } = watch;
      const at = performance.now();
      performance.mark('kiez-frame');
      const channel = new MessageChannel();
      channel.port1.onmessage = () => watch.done({ frame: at - watch.answered, ready: (watch.ready || at) - watch.answered, painted: performance.now() - watch.answered, still: shows() });
      channel.port2.postMessage(null);
    };
    requestAnimationFrame(frame);
  };
  new MutationObserver(() => { if (watch.answered > 0 && watch.ready === 0 && seen()) watch.ready = performance.now(); }).observe(document.body, { childList: true, subtree: true, characterData: true, attributes: true });
  if (window.kiezDemo) {
    const act = window.kiezDemo.act.bind(window.kiezDemo);
    window.kiezDemo.act = async (action) => { const answer = await act(action); answered(); return answer; };
  } else {
    const real = window.fetch;
    window.fetch = async (input, init) => {
      const answer = await real(input, init);
      if (String(input).endsWith('/api/act')) {
        const text = answer.text.bind(answer);
        answer.text = async () => { const words = await text(); answered(); return words; };
      }
      return answer;
    };
  }
});

/** Waits for what `shows` (run in the page, with `about`) says, once `act` made the page act. */
async function measure(kind, shows, about, act) {
  const wait = page.evaluateHandle(([source, given]) => {
    const { kiezWatch } = window;
    const test = new Function('about', `return (${source})(about)`);
    Object.assign(kiezWatch, { shows: () => test(given), answered: 0, ready: 0 });
    return { promise: new Promise((done) => { kiezWatch.done = (figures) => { kiezWatch.shows = null; done(figures); }; }) };
  }, [shows.toString(), about]);
  const handle = await wait;
  await act();
  const late = new Promise((_, fail) => { setTimeout(() => fail(new Error(`${kind}: not shown after 20 s: ${about}`)), 20_000).unref(); });
  const figures = await Promise.race([handle.evaluate((held) => held.promise), late]);
  all.push({ kind, ...figures });
}
const all = [];
const go = async (hash) => {
  await page.evaluate((to) => { location.hash = to; }, `#/${hash}`);
  await page.waitForSelector('main h1');
};
const third = Math.round(Number(count) * 0.4);

await go('ideas');
const idea = await page.locator('main h3 a').first().getAttribute('href');
await go(idea.slice(2));
for (let n = 0; n < third; n += 1) {
  const text = `Gemessen ${n} ${Date.now()}`;
  await page.locator('#talk textarea').fill(text);
  await measure('comment', (said) => [...document.querySelectorAll('#talk [role=listitem]')].some((row) => row.textContent.includes(said)), text, () => page.locator('#talk form button').click());
}
await go('tasks/all');
await page.waitForTimeout(3_000);
for (let n = 0; n < third; n += 1) {
  // The row leaves the list of what is to do.
  const row = page.locator('main [role=list]').first().locator('[role=listitem]').nth(n % 7);
  const name = `measured-${n}`;
  await row.evaluate((element, id) => { element.id = id; }, name);
  await measure('task', (id) => document.getElementById(id) === null, name, () => row.locator('input').click());
}
await go('decisions');
await page.waitForTimeout(300);
const poll = await page.evaluate(() => [...document.querySelectorAll('main section:first-of-type h3 a')].map((link) => link.getAttribute('href'))[0]);
for (let n = all.length; n < Number(count); n += 1) {
  await go(poll.slice(2));
  await page.waitForSelector('main form input');
  await page.locator('main form input').nth(n % 2).check({ force: true });
  await measure('cast', (link) => document.querySelector(`main a[href="${link}"]`)?.closest('[role=listitem]')?.querySelector('.state--done') !== null, poll, () => page.locator('.urn button').click());
}
await browser.close();
const figures = (of) => Object.fromEntries(['ready', 'frame', 'painted'].map((what) => [what, { p50: ms(percentile(of.map((a) => a[what]), 0.5)), p95: ms(percentile(of.map((a) => a[what]), 0.95)), max: ms(Math.max(...of.map((a) => a[what]))) }]));
const kinds = [...new Set(all.map((a) => a.kind))];
process.stdout.write(`${JSON.stringify({ actions: all.length, still: all.every((a) => a.still), all: figures(all), ...Object.fromEntries(kinds.map((kind) => [kind, figures(all.filter((a) => a.kind === kind))])), errors }, null, 1)}\n`);
process.exitCode = all.some((a) => !a.still) || errors.length > 0 || percentile(all.map((a) => a.frame), 0.95) > 16 ? 1 : 0;
