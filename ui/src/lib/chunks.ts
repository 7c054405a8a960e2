/** A long list in pieces, so that pieces far from being seen cost nothing. Pure. */
export interface Chunk<T> {
  readonly key: number;
  readonly items: readonly T[];
}
/** So many rows in a piece that is made anew; twice as many, at most, in one that others move into. */
export const SIZE = 12;

/**
 * Cuts a list into pieces like those it was cut into before: what comes or goes changes its own piece only, and a piece in
 * which nothing changed is the very same object.
 */
export class Chunks<T> {
  readonly #id: (item: T) => string | number;
  #before: readonly Chunk<T>[] = [];
  #places = new Map<string | number, number>();
  #next = 0;

  readonly #size: number;
  constructor(id: (item: T) => string | number, size = SIZE) {
    this.#id = id;
    this.#size = size;
  }

  cut(items: readonly T[]): readonly Chunk<T>[] {
    const few = 2 * Math.ceil(items.length / this.#size) + 2;
    let cut = this.#along(items, this.#places);
    if (cut.length > few) cut = this.#along(items, new Map());
    const known = new Map(this.#before.map((chunk) => [chunk.key, chunk]));
    const chunks = cut.map((chunk) => {
      const old = known.get(chunk.key);
      return old && old.items.length === chunk.items.length && old.items.every((item, n) => item === chunk.items[n]) ? old : chunk;
    });
    this.#before = chunks;
    this.#places = new Map(chunks.flatMap((chunk) => chunk.items.map((item): [string | number, number] => [this.#id(item), chunk.key])));
    return chunks;
  }

  #along(items: readonly T[], places: ReadonlyMap<string | number, number>): Chunk<T>[] {
    const chunks: { key: number; items: T[] }[] = [];
    const used = new Set<number>();
    let now: { key: number; items: T[] } | null = null;
    const begin = (key: number) => {
      now = { key, items: [] };
      used.add(key);
      chunks.push(now);
      return now;
    };
    for (const item of items) {
      const place = places.get(this.#id(item));
      const elsewhere = place !== undefined && place !== now?.key && !used.has(place);
      const full = now !== null && place !== now.key && now.items.length >= (place === undefined ? this.#size : 2 * this.#size);
      if (elsewhere) now = begin(place);
      else if (now === null || full) now = begin((this.#next += 1));
      now.items.push(item);
    }
    return chunks;
  }
}
