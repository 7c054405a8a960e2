/**
 * How long after an action was done its change is on the screen. Prints JSON.
 * usage: paint.mjs ADDRESS [ACTIONS] [--at-once]   ADDRESS: of the local server, or `http://…/?demo=year`
 *
 * It counts from the first byte of the answer: nobody in the browser can know earlier that Kiez wrote it down. What the page shows
 * while Kiez writes is painted before, and then a figure is negative. `ready`: until the page's text says it, and nothing more is to
 * be done before a frame. `frame`: until the beginning of the frame that shows it. `painted`: until that frame was handed over for
 * painting. `pressed`: the same from the press of the button.
 *
 * A display of 60 frames a second lets whatever changes wait up to 16.7 ms for its next frame: `floor` is the same for a page in
 * which one word changes at some moment. With `--at-once` the browser makes frames as soon as there is something to show.
 */
import { launch, ms, open, percentile } from './trace.mjs';

const given = process.argv.slice(2).filter((word) => !word.startsWith('--'));
const atOnce = process.argv.includes('--at-once');
const [address, count = '50'] = given;
if (!address) throw new Error('usage: paint.mjs ADDRESS [ACTIONS] [--at-once]');
const browser = await launch(...(atOnce ? ['--disable-gpu-vsync', '--disable-frame-rate-limit'] : []));
const { page, errors } = await open(browser, address);

/** In the page: marks when an action was answered, and when a frame shows what is waited for. */
function watching() {
  const watch = { shows: null, done: null, pressed: 0, answered: 0, ready: 0, frame: 0, painted: 0 };
  window.kiezWatch = watch;
  performance.setResourceTimingBufferSize(100_000);
  const begun = () => {
    const answers = performance.getEntriesByType('resource').filter((entry) => entry.name.endsWith('/api/act'));
    return Math.min(answers.at(-1)?.responseStart || watch.answered, watch.answered);
  };
  const end = () => {
    if (watch.shows === null || watch.answered === 0 || watch.painted === 0) return;
    const from = begun();
    watch.done({ heard: watch.answered - from, ready: watch.ready - from, frame: watch.frame - from, painted: watch.painted - from, pressed: watch.painted - watch.pressed });
  };
  const answered = () => {
    if (watch.shows === null || watch.answered > 0) return;
    watch.answered = performance.now();
    end();
  };
  const seen = () => {
    if (watch.pressed === 0 || watch.ready > 0 || !watch.shows?.()) return;
    watch.ready = performance.now();
    requestAnimationFrame(() => {
      watch.frame = performance.now();
      // The next task after the frame, whatever else is to be done.
      scheduler.postTask(() => {
        watch.painted = performance.now();
        setTimeout(end, 0);
      }, { priority: 'user-blocking' });
    });
  };
  new MutationObserver(seen).observe(document.body, { childList: true, subtree: true, characterData: true, attributes: true });
  if (window.kiezDemo) {
    const act = window.kiezDemo.act.bind(window.kiezDemo);
    window.kiezDemo.act = async (action) => { const answer = await act(action); answered(); return answer; };
  } else {
    const real = window.fetch;
    window.fetch = async (input, init) => {
      const answer = await real(input, init);
      if (!answer.ok) throw new Error(`refused: ${answer.status}`);
      if (String(input).endsWith('/api/act')) {
        const text = answer.text.bind(answer);
        answer.text = async () => { const words = await text(); answered(); return words; };
      }
      return answer;
    };
  }
}

/** In an empty page: one word changes, at some moment. */
const oneWord = () => new Promise((done) => {
  setTimeout(() => {
    const from = performance.now();
    document.body.textContent = String(from);
    requestAnimationFrame(() => {
      const frame = performance.now() - from;
      scheduler.postTask(() => done({ ready: 0, frame, painted: performance.now() - from }), { priority: 'user-blocking' });
    });
  }, 20 + Math.random() * 50);
});
async function floor(times) {
  const empty = await browser.newPage();
  await empty.setContent('<body>.</body>');
  const all = [];
  for (let n = 0; n < times; n += 1) all.push(await empty.evaluate(oneWord));
  await empty.close();
  return all;
}

const all = [];
/** Before and after an action, so that what Kiez is asked after the one is answered before the next. A person is slower. */
const REST = 700;
/**
 * Waits for what `shows` (run in the page, with `about`) says, once `button` was pressed: by the page itself, while nothing drives it.
 * Then asks `kept` whether it is so for good, when Kiez was asked anew.
 */
async function measure(kind, shows, about, button, kept) {
  await page.waitForTimeout(REST);
  const handle = await page.evaluateHandle(([source, given]) => {
    const { kiezWatch } = window;
    const test = new Function('about', `return (${source})(about)`);
    if (test(given)) throw new Error(`it shows before it was done: ${JSON.stringify(given)}`);
    Object.assign(kiezWatch, { shows: () => test(given), pressed: 0, answered: 0, ready: 0, frame: 0, painted: 0 });
    return { promise: new Promise((done) => { kiezWatch.done = (figures) => { kiezWatch.shows = null; kiezWatch.done = () => undefined; done(figures); }; }) };
  }, [shows.toString(), about]);
  await button.evaluate((element) => void setTimeout(() => { window.kiezWatch.pressed = performance.now(); element.click(); }, 150));
  const late = new Promise((_, fail) => { setTimeout(() => fail(new Error(`${kind}: not shown after 20 s: ${about}`)), 20_000).unref(); });
  const figures = await Promise.race([handle.evaluate((held) => held.promise), late]);
  await page.waitForTimeout(REST);
  if (!(await kept())) throw new Error(`${kind}: shown, and then gone: ${JSON.stringify(about)}`);
  all.push({ kind, ...figures });
}
const go = async (hash) => {
  await page.evaluate((to) => { location.hash = to; }, `#/${hash}`);
  await page.waitForSelector('main h1');
};

async function comments(times) {
  await go('ideas');
  const idea = await page.locator('main h3 a').first().getAttribute('href');
  await go(idea.slice(2));
  for (let n = 0; n < times; n += 1) {
    const text = `Gemessen ${n} ${Date.now()}`;
    await page.locator('#talk textarea').fill(text);
    const stands = (said) => [...document.querySelectorAll('#talk [role=listitem]')].some((row) => row.textContent.includes(said));
    await measure('comment', stands, text, page.locator('#talk form button'), () => page.evaluate(stands, text));
  }
}
async function tasks(times) {
  await go('tasks/all');
  await page.waitForTimeout(3_000);
  for (let n = 0; n < times; n += 1) {
    // The row leaves the list of what is to do.
    const row = page.locator('main [role=list]').first().locator('[role=listitem]').nth(n % 7);
    const name = `measured-${n}`;
    await row.evaluate((element, id) => { element.id = id; }, name);
    const left = () => page.locator('.tabs a[aria-current=page] .quiet').textContent().then(Number);
    const before = await left();
    await measure('task', (id) => document.getElementById(id) === null, name, row.locator('input'), async () => (await left()) === before - 1);
  }
}
async function votes(times) {
  await go('decisions');
  await page.waitForTimeout(1_000);
  // Those that wait for this person; each is cast once.
  const polls = await page.evaluate((most) => [...document.querySelectorAll('main section:first-of-type [role=listitem]')].filter((row) => row.querySelector('.row__end .btn')).slice(0, most).map((row) => row.querySelector('h3 a').getAttribute('href')), times);
  if (polls.length < times) throw new Error(`of ${times} votes only ${polls.length} wait for this person`);
  for (const [n, link] of polls.entries()) {
    await go(link.slice(2));
    await page.waitForSelector('main form input');
    await page.locator('main form input').nth(n % 2).check({ force: true });
    const before = await page.locator('.urn button').textContent();
    // The ballot itself says that it was cast; then the page goes on to the list, whose row says it.
    const shows = (before) => (document.querySelector('.urn button')?.textContent ?? before) !== before;
    const listed = (link) => Boolean(document.querySelector(`main a[href="${link}"]`)?.closest('[role=listitem]')?.querySelector('.state--done'));
    await measure('cast', shows, before, page.locator('.urn button'), () => page.evaluate(listed, link));
  }
}

await page.evaluate(watching);
const third = Math.round(Number(count) / 3);
await comments(third);
await tasks(third);
await votes(Number(count) - 2 * third);
const least = await floor(Number(count) * 2);
await browser.close();

const figures = (of) => Object.fromEntries(['heard', 'ready', 'frame', 'painted', 'pressed'].flatMap((what) => {
  const times = of.map((one) => one[what] ?? 0);
  return [[what, { p50: ms(percentile(times, 0.5)), p95: ms(percentile(times, 0.95)), max: ms(Math.max(...times)) }]];
}));
const kinds = Object.fromEntries(['comment', 'task', 'cast'].map((kind) => [kind, figures(all.filter((action) => action.kind === kind))]));
process.stdout.write(`${JSON.stringify({ actions: all.length, all: figures(all), floor: figures(least), ...kinds, errors }, null, 1)}\n`);
process.exitCode = errors.length > 0 ? 1 : 0;
