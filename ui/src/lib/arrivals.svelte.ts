import { untrack } from 'svelte';
import { useKiez } from './kiez.svelte';

/**
 * Says politely what came from others while somebody is here. `now` gives what is there, by name; what was there when the
 * place was come to is not said.
 */
export function arrivals<T>(now: () => readonly T[] | undefined, id: (item: T) => string, words: (item: T) => string) {
  const kiez = useKiez();
  let known: Set<string> | null = null;
  $effect(() => {
    const all = now();
    if (all === undefined) return;
    untrack(() => {
      const before = known;
      known = new Set(all.map(id));
      const fresh = before === null ? undefined : all.findLast((item) => !before.has(id(item)));
      if (fresh !== undefined) kiez.say(words(fresh));
    });
  });
}
