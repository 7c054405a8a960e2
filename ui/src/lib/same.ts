/**
 * `next`, but whatever in it is as it was before is the very same thing as before. So only what changed is drawn anew:
 * of two thousand tasks the one that was done.
 */
export function keep<T>(before: T, next: T): T {
  return kept(before, next) as T;
}

function kept(before: unknown, next: unknown): unknown {
  if (Object.is(before, next) || typeof before !== 'object' || typeof next !== 'object' || before === null || next === null) return next;
  if (Array.isArray(before)) return Array.isArray(next) ? list(before, next) : next;
  return Array.isArray(next) ? next : record(before as Fields, next as Fields);
}

type Fields = Record<string, unknown>;
function record(before: Fields, next: Fields): Fields {
  const names = Object.keys(next);
  let same = names.length === Object.keys(before).length;
  for (const name of names) {
    const value = kept(before[name], next[name]);
    if (!Object.is(value, before[name])) same = false;
    next[name] = value;
  }
  return same ? before : next;
}

const idOf = (item: unknown): unknown => {
  if (typeof item !== 'object' || item === null) return undefined;
  if ('id' in item) return item.id;
  return 'person' in item ? idOf(item.person) : undefined;
};
/** What has an id is found wherever it stands; the rest by its place. */
function list(before: unknown[], next: unknown[]): unknown[] {
  let known: Map<unknown, unknown> | null = null;
  let same = before.length === next.length;
  for (let n = 0; n < next.length; n += 1) {
    const id = idOf(next[n]);
    let old = before[n];
    if (id !== undefined && idOf(old) !== id) {
      known ??= new Map(before.map((item) => [idOf(item), item]));
      old = known.get(id);
    }
    if (old !== undefined) next[n] = kept(old, next[n]);
    if (!Object.is(next[n], before[n])) same = false;
  }
  return same ? before : next;
}
