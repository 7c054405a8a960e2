/** A neighbourhood in which somebody tries to break the page with words: markup, links, letters that turn, hide, pile up and never end. */
import { busy, type Governed } from './council';
import { type Ballot, DAY, type Human, type Job, type Seed, type Sketch } from './example';

export const nasty: readonly string[] = [
  '<img src=x onerror="window.hurt=1">',
  '"><script>window.hurt=1</script>',
  'javascript:window.hurt=1',
  '[hier](javascript:window.hurt=1) https://example.org/',
  '{@html "<b>x</b>"} ${window.hurt=1} &lt;b&gt;&#60;i&#62;',
  // Closes the isolate around it, then turns what follows.
  '\u2069\u2069\u202eetieS red red',
  '\u202elaer ton si siht',
  '\u2066\u2067\u2068\u202a\u202b\u202d offen',
  'سلام \u202c\u2069\u202e مرحبا',
  // Nothing to be seen.
  '\u200b\u200c\u200d\u2060\ufeff\u00ad',
  '\u3164\u2800\u115f',
  `Z${'\u0337\u0348\u035c\u0310'.repeat(60)}algo`,
  'W'.repeat(10_000),
  `${'länger'.repeat(40)} \u2028\u2029\t\n  zwei  Zeilen`,
  '😀'.repeat(300),
  '\ud800 allein',
  '__proto__',
];
const at = (n: number): string => nasty[n % nasty.length] as string;

export function hostile(): Seed {
  const people: Human[] = nasty.map((name, n) => ({ id: n === 0 ? 'b1' : `h${n}`, name, role: n === 3 ? 'observer' : n % 5 === 0 ? 'steward' : 'member', devices: 1 + (n % 2), behind: n % 3 === 0 ? 0 : n % 7 === 0 ? null : n * 3_600_000, contact: n % 4 === 0 ? 'even' : n % 6 === 0 ? 'lost' : null, near: n % 5 === 1 }));
  const by = (n: number) => people[n % people.length]?.id ?? 'b1';
  const ideas: Sketch[] = nasty.map((title, n) => ({
    id: `i${n}`, plate: n === 4 ? null : n + 1, by: by(n), ago: n * DAY, state: (['idea', 'vote', 'decided', 'doing', 'done'] as const)[n % 5] ?? 'idea', cost: n % 2 === 0 ? 1_000_000 * n : null, place: n % 3 === 0 ? { lat: 50 + n / 1000, lon: 19 - n / 1000 } : null,
    categories: [at(n + 1), at(n + 5)], targets: [at(n + 2)], title, body: `${at(n + 3)}\n\n${title}\n\n${at(n + 6)}`, comments: nasty.map((text, k) => ({ id: `i${n}c${k}`, by: by(n + k), text, ago: k * DAY, new: k % 3 === 0 })), unread: n % 4 === 0,
  }));
  const polls: Ballot[] = nasty.flatMap((question, n): Ballot[] => {
    const options = nasty.slice(0, 13);
    const votes = Object.fromEntries(people.slice(n === 0 ? 1 : 0, 9).map((human, k) => [human.id, [at(k % 4)]]));
    return [{ id: `v${n}`, idea: `i${n}`, question, method: 'approval', options, by: by(n), ago: n * DAY, open: n % 2 === 0, votes: n % 4 === 0 ? {} : votes }];
  });
  const tasks: Job[] = nasty.flatMap((title, n): Job[] => [
    { id: `t${n}`, title, idea: `i${n}`, who: n % 2 === 0 ? ['b1', by(n)] : [by(n + 1)], due: n - 5, state: n % 4 === 0 ? 'done' : 'open' },
    { id: `u${n}`, title, idea: null, who: ['b1'], due: null, state: 'open' },
  ]);
  const council: Governed = {
    ...busy('member'), voices: people.slice(0, 3).map((human) => human.id), invitations: [], copied: [by(6)], putOff: [{ who: by(1), entries: 1, days: 400 }, { who: by(0), entries: 2 ** 53, days: 0 }], asking: [{ id: 'k0', code: '000 000', vouched: [by(0)] }],
    moves: nasty.flatMap((reason, n) => [
      { id: `m${n}`, wish: { kind: 'remove', person: by(n + 1) } as const, by: by(n), reason, ago: n * DAY, signers: [by(n)], carried: false },
      { id: `n${n}`, wish: { kind: 'hide', target: n % 2 === 0 ? { what: 'idea', id: `i${n}` } : { what: 'comment', author: by(n), id: `i${n}c0` } } as const, by: by(n), reason, ago: n * DAY, signers: [by(n), by(n + 2)], carried: true },
      { id: `e${n}`, wish: { kind: 'erase', idea: `i${n}` } as const, by: by(n), reason, ago: n * DAY, signers: [by(n)], carried: false, erases: {
        entries: 2 ** 40, left: (['other', 'nothing', 'unknown', 'same'] as const)[n % 4] ?? 'other', differs: ['title' as const, 'other' as const], later: n * 1000, reads: n % 4 === 0 ? { title: reason, body: `${reason}\n\n${at(n + 1)}`, cost: 2 ** 50, place: null, categories: [reason], targets: [at(n + 2)] } : null } },
    ]),
    erased: [{ id: 'w1', by: [by(1)], idea: 'i3', reason: people[1]?.name ?? '', at: 0 }, { id: 'w2', by: [by(2)], idea: null, reason: null, at: 0 }],
    hidden: [{ target: { what: 'idea', id: 'i16' }, motion: 'n16' }, { target: { what: 'comment', author: by(2), id: 'i2c0' }, motion: 'n2' }],
    gone: nasty.map((name, n) => ({ human: { id: `g${n}`, name, role: 'member', devices: 1, behind: null, contact: null, near: false }, how: 'removed', motion: `n${n}`, beyond: n })),
  };
  return { name: at(5), purpose: at(0), people, ideas, polls, tasks, council };
}
