import type { PersonReach } from '$lib/api';
import { when } from '$lib/words/format';
import { m } from '$words';

/** What another person has of mine, as words after the name. Only what their device confirmed: of who has not all is known when they said something last, not what they had then. */
export function reachText(reach: PersonReach): string {
  if (reach.hasAll) return reach.asOf === null ? m.reach_all() : m.reach_all_as_of({ when: when(reach.asOf) });
  if (reach.asOf === null) return m.reach_nothing();
  return m.reach_until({ when: when(reach.asOf) });
}
/** How near that is to now, 0 to 100, over three days. */
export function reachPart(reach: PersonReach, now = Date.now()): number {
  if (reach.hasAll) return 100;
  if (reach.asOf === null) return 0;
  return Math.max(4, Math.min(96, 100 - ((now - reach.asOf) / (3 * 86_400_000)) * 100));
}
