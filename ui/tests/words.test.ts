import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import de from '../messages/de.json';
import en from '../messages/en.json';
import { KiezError } from '../src/lib/api';
import { codes, errorText } from '../src/lib/words/errors';
import { readCost, readPlace } from '../src/features/ideas/cost';
import { parse } from '../src/lib/route.svelte';
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
    const terminal = ['prompt', 'system', 'handover', 'no-window'];
    expect(said.filter((code) => !codes.includes(code) && !terminal.includes(code))).toEqual([]);
    for (const code of codes) expect(errorText(new KiezError(code)).length).toBeGreaterThan(20);
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
    expect(parse('#/ideas/a%2Fb')).toEqual({ place: 'ideas', id: 'a/b' });
    expect(parse('#/nowhere')).toEqual({ place: 'today', id: null });
  });
});
