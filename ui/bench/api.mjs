/**
 * How long the server takes to answer what the places of the page ask. Prints JSON, in milliseconds.
 * usage: api.mjs ADDRESS [CALLS]   ADDRESS: as `kiez serve` printed it
 */
import { PASSPHRASE } from './kiez.mjs';
import { ms, percentile } from './trace.mjs';

const [address, calls = '10'] = process.argv.slice(2);
if (!address) throw new Error('usage: api.mjs ADDRESS [CALLS]');
const { origin } = new URL(address);
const entered = await fetch(address, { redirect: 'manual' });
const cookie = entered.headers.getSetCookie().map((one) => one.split(';')[0]).join('; ');

const pass = /#pass=(\w+)/.exec(entered.headers.get('location') ?? '')?.[1] ?? '';

async function post(path, body) {
  const answer = await fetch(origin + path, { method: 'POST', headers: { cookie, 'kiez-pass': pass, origin, 'content-type': 'application/json' }, body: JSON.stringify(body) });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${JSON.stringify(body)}: ${answer.status} ${text}`);
  return { bytes: text.length, value: text === '' ? null : JSON.parse(text) };
}
const ask = async (query) => (await post('/api/ask', query)).value;

if ((await ask({ ask: 'door' })).state === 'locked') await post('/api/act', { act: 'unlock', passphrase: PASSPHRASE });
const door = await ask({ ask: 'door' });
const group = door.groups[0].id;
const ideas = await ask({ ask: 'ideas', group });
const polls = await ask({ ask: 'decisions', group });
// The idea that most is said to.
const id = ideas.toSorted((a, b) => (b.comments ?? 0) - (a.comments ?? 0))[0].id;
const queries = [
  { ask: 'door' },
  ...['today', 'ideas', 'decisions', 'tasks', 'people', 'connections'].map((what) => ({ ask: what, group })),
  { ask: 'idea', group, id },
  { ask: 'history', group, id },
  { ask: 'poll', group, id: polls[0].id },
  { ask: 'search', group, text: 'linde' },
];
const report = {};
for (const query of queries) {
  const times = [];
  let bytes = 0;
  for (let n = 0; n < Number(calls); n += 1) {
    const from = performance.now();
    ({ bytes } = await post('/api/ask', query));
    times.push(performance.now() - from);
  }
  report[query.ask] = { first: ms(times[0]), p50: ms(percentile(times, 0.5)), max: ms(Math.max(...times)), kB: Math.round(bytes / 1000) };
}
process.stdout.write(`${JSON.stringify(report, null, 1)}\n`);
