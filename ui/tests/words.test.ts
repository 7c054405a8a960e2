import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import de from '../messages/de.json';
import en from '../messages/en.json';
import { KiezError } from '../src/lib/api';
import { codes, errorText } from '../src/lib/words/errors';
import { readCost, readPlace } from '../src/features/ideas/cost';
import { parse } from '../src/lib/route.svelte';
import { m, setLocale } from '../src/lib/words';
import { dueText, money, when } from '../src/lib/words/format';

const names = (text: unknown) => [...new Set(JSON.stringify(text).match(/\{[a-z]+\}/g))].sort();

describe('catalogues', () => {
  it('both say the same things, with the same blanks', () => {
    expect(Object.keys(en)).toEqual(Object.keys(de));
    for (const key of Object.keys(de) as (keyof typeof de)[]) {
      if (typeof de[key] === 'string') expect([key, names(en[key])]).toEqual([key, names(de[key])]);
    }
  });
  it('no word of machines', () => {
    for (const text of [de, en]) expect(JSON.stringify(Object.values(text))).not.toMatch(/\b(sync\w*|crdt|node|hash|keys?|schlüssel|ticket|bundle|seed)\b/i);
  });
  it('every code of docs/cli.md has its own text', () => {
    const table = readFileSync('../docs/cli.md', 'utf8').split('| code | exit | when |')[1]?.split('\n\n')[0] ?? '';
    const said = [...table.matchAll(/^\| ((?:`[a-z-]+`(?:, )?)+)/gm)].flatMap((row) => [...(row[1] ?? '').matchAll(/`([a-z-]+)`/g)].map((code) => code[1] ?? ''));
    expect(said.length).toBeGreaterThan(30);
    // The page has no terminal and opens no window.
    const elsewhere = ['no-window'];
    expect(said.filter((code) => !codes.includes(code) && !elsewhere.includes(code))).toEqual([]);
  });
  it('each says in both languages what happened and what to do', async () => {
    const texts: Record<string, string[]> = {};
    for (const language of ['de', 'en'] as const) {
      await setLocale(language);
      texts[language] = codes.map((code) => errorText(new KiezError(code)));
      // One sentence for what happened, one for what to do.
      for (const [n, text] of texts[language].entries()) expect([codes[n], text.split(/[.?!](?:\s|$)/).length - 1]).toEqual([codes[n], expect.toSatisfy((sentences: number) => sentences >= 2)]);
    }
    texts['de']?.forEach((text, n) => expect(text).not.toBe(texts['en']?.[n]));
    await setLocale('de');
  });
  it('a code that is not known yet says something all the same', () => {
    expect(errorText(new KiezError('made-later'))).toBe(m.error_other());
    expect(errorText(new KiezError('constructor'))).toBe(m.error_other());
  });
  it('no word is kept that nobody says', () => {
    const source = Object.values(import.meta.glob<string>('../src/{app,features,lib}/**/*.{svelte,ts}', { query: '?raw', import: 'default', eager: true })).join('\n');
    expect(Object.keys(de).filter((key) => !new RegExp(`\\bm\\.${key}\\b`).test(source))).toEqual([]);
  });
});

describe('figures', () => {
  it('amounts as people write them', () => {
    expect(['14 100', '1.200,50', '1,200.50', '72000', '', 'viel', '1.2.3', '0,5'].map(readCost)).toEqual([14100, 1200.5, 1200.5, 72000, null, undefined, undefined, 0.5]);
    expect(money(291350)).toBe('291\u00a0350');
  });
  it('places as maps give them', () => {
    expect(readPlace('50.26, 19.05')).toEqual({ lat: 50.26, lon: 19.05 });
    expect([readPlace(''), readPlace('dort'), readPlace('95, 1')]).toEqual([null, undefined, undefined]);
  });
  it('days as people say them', () => {
    const now = new Date(2026, 10, 22, 12).getTime();
    expect(when(now - 3_600_000, now)).toMatch(/11[:.]00/);
    expect(dueText('2026-11-22', now)).toBeTruthy();
    // Whatever time somebody claims, there is a day for it.
    for (const claimed of [Number.MAX_SAFE_INTEGER, 2 ** 64, -1]) expect(when(claimed, now)).toBeTruthy();
    expect(parse('#/ideas/a%2Fb')).toEqual({ place: 'ideas', id: 'a/b' });
    expect(parse('#/nowhere')).toEqual({ place: 'today', id: null });
  });
});
