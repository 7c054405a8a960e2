import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Chunks, SIZE } from '../src/lib/chunks';
import { keep } from '../src/lib/same';

interface Row { id: string; text: string; who: string[] }
const row = fc.record({ id: fc.nat(80).map(String), text: fc.constantFrom('a', 'b'), who: fc.array(fc.constantFrom('x', 'y'), { maxLength: 2 }) });
const rows = fc.uniqueArray(row, { selector: (r) => r.id, maxLength: 60 });

describe('what stayed the same', () => {
  it('is the same thing, and the whole says what it should', () => {
    fc.assert(
      fc.property(rows, rows, (before, next) => {
        const wanted = structuredClone(next);
        const kept = keep(before, next);
        expect(kept).toEqual(wanted);
        for (const one of kept) {
          const old = before.find((r) => r.id === one.id);
          if (old && JSON.stringify(old) === JSON.stringify(one)) expect(one).toBe(old);
        }
      }),
    );
  });
  it('is the whole answer, where nothing changed', () => {
    fc.assert(fc.property(rows, (all) => keep(all, structuredClone(all)) === all));
  });
  it('people are known by their person', () => {
    const before = [{ person: { id: '1' }, devices: 1 }, { person: { id: '2' }, devices: 1 }];
    const next = [{ person: { id: '2' }, devices: 1 }, { person: { id: '1' }, devices: 2 }];
    const kept = keep(before, next);
    expect(kept[0]).toBe(before[1]);
    expect(kept[1]?.person).toBe(before[0]?.person);
    expect(kept[1]).toEqual({ person: { id: '1' }, devices: 2 });
  });
  it('a list that became something else, and null', () => {
    expect(keep<unknown>([1], { a: 1 })).toEqual({ a: 1 });
    expect(keep<unknown>({ a: 1 }, null)).toBeNull();
    expect(keep<unknown>(null, { a: 1 })).toEqual({ a: 1 });
  });
});

describe('a list in pieces', () => {
  const made = () => new Chunks<Row>((r) => r.id);
  it('holds all rows in their order, whatever came, went and moved', () => {
    fc.assert(
      fc.property(fc.array(rows, { minLength: 1, maxLength: 5 }), (states) => {
        const chunks = made();
        for (const state of states) {
          const cut = chunks.cut(state);
          expect(cut.flatMap((c) => [...c.items])).toEqual(state);
          expect(new Set(cut.map((c) => c.key)).size).toBe(cut.length);
          for (const chunk of cut) expect(chunk.items.length).toBeLessThanOrEqual(2 * SIZE);
          expect(cut.length).toBeLessThanOrEqual(2 * Math.ceil(state.length / SIZE) + 2);
        }
      }),
    );
  });
  it('what goes from the first piece leaves all others as they are', () => {
    const all = Array.from({ length: 400 }, (_, n): Row => ({ id: String(n), text: '', who: [] }));
    const chunks = made();
    const before = chunks.cut(all);
    const after = chunks.cut(all.filter((r) => r.id !== '3'));
    expect(after.length).toBe(before.length);
    expect(after.slice(1).every((chunk, n) => chunk === before[n + 1])).toBe(true);
  });
  it('what comes at the end, slice by slice, leaves the full pieces as they are', () => {
    const all = Array.from({ length: 100 }, (_, n): Row => ({ id: String(n), text: '', who: [] }));
    const chunks = made();
    const first = chunks.cut(all.slice(0, 24));
    const more = chunks.cut(all);
    expect(more[0]).toBe(first[0]);
    expect(more.map((c) => c.items.length)).toEqual([12, 12, 12, 12, 12, 12, 12, 12, 4]);
  });
});
