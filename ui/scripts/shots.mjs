/**
 * Screenshots of every place over the neighbourhood in memory, into shots/ (ignored). Needs `npm run build` and chromium.
 * usage: shots.mjs [--address URL] [--out FOLDER] [--languages de,en] [--looks light,dark] [--widths 1280,390] [--text PERCENT] [--rtl] [PLACE...]
 * A place is what stands behind the # of the address; `new:`, `year:`, `hostile:` and so on before it choose what the memory holds.
 */
import { mkdirSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';
import { preview } from 'vite';

const { values: said, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    address: { type: 'string' }, out: { type: 'string', default: 'shots' }, languages: { type: 'string', default: 'de,en' }, looks: { type: 'string', default: 'light,dark' },
    widths: { type: 'string', default: '1280,390' }, text: { type: 'string' }, rtl: { type: 'boolean', default: false }, window: { type: 'boolean', default: false },
  },
});
const everywhere = [
  'today', 'ideas', 'ideas/03', 'ideas/09', 'ideas/new', 'ideas/history:03', 'decisions', 'decisions/e1', 'decisions/e2', 'decisions/e3', 'decisions/e4',
  'tasks', 'tasks/all', 'tasks/ideas', 'people', 'settings', 'more', 'start',
  'new:today', 'locked:today', 'empty:today', 'alone:today', 'alone:ideas', 'alone:decisions', 'alone:tasks', 'alone:people',
  'council:today', 'council:people', 'council:people/motions', 'council:people/rules', 'council:people/d1', 'council:people/a3', 'council:ideas', 'council:ideas/02', 'council:ideas/03',
  'removed:today', 'removed:people', 'removed:ideas/09', 'left:today', 'device-out:today', 'void:today',
];
const wanted = positionals.length > 0 ? positionals : everywhere;

let server = null;
let address = said.address;
if (address === undefined) {
  server = await preview({ preview: { port: 5199, strictPort: false, host: '127.0.0.1' }, logLevel: 'error' });
  address = server.resolvedUrls?.local[0] ?? '';
}
mkdirSync(said.out, { recursive: true });
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium' });
let taken = 0;
for (const language of said.languages.split(',')) {
  for (const look of said.looks.split(',')) {
    for (const width of said.widths.split(',').map(Number)) {
      const context = await browser.newContext({ viewport: { width, height: width < 600 ? 844 : 900 }, locale: language === 'de' ? 'de-DE' : 'en-GB', reducedMotion: 'reduce' });
      await context.addInitScript(([locale, percent]) => { localStorage.setItem('PARAGLIDE_LOCALE', locale); localStorage.setItem('kiez-text', percent); }, [language, said.text ?? '100']);
      const page = await context.newPage();
      for (const place of wanted) {
        const [, demo = '', hash = place] = /^(new|locked|empty|alone|two|year|hostile|council|removed|left|device-out|void):(.*)$/.exec(place) ?? [];
        await page.goto('about:blank');
        await page.goto(`${address}?demo${demo ? `=${demo}` : ''}&theme=${look}#/${hash}`);
        await page.waitForSelector('main h1');
        if (said.rtl) await page.evaluate(() => { document.documentElement.dir = 'rtl'; });
        await page.evaluate(async () => { await document.fonts.ready; await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))); });
        const name = [place.replace(/[/:]/g, '-'), width, look, language, said.text, said.rtl ? 'rtl' : ''].filter(Boolean).join('.');
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
        if (wide > 0) process.stdout.write(`${name}: ${wide} px wider than the window\n`);
        await page.screenshot({ path: `${said.out}/${name}.png`, fullPage: !said.window });
        taken += 1;
      }
      await context.close();
    }
  }
}
await browser.close();
await server?.close();
process.stdout.write(`${taken} pictures in ${said.out}/\n`);
