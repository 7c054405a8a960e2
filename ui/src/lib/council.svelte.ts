import type { Council } from './api';
import { useKiez } from './kiez.svelte';
import { type Live, live } from './live.svelte';

/** How the group governs itself; the parts share it. Call it while a part is being set up. */
export function useCouncil(): Live<Council> {
  const kiez = useKiez();
  return live('council', () => kiez.client.council(kiez.group));
}
