import type { News } from './api';
import type { Live } from './answer.svelte';
import { useKiez } from './kiez.svelte';

export type { Live } from './answer.svelte';

/** Call it while a part is being set up. `name` says which answer of this group it is: parts with the same name share it. */
export function live<T>(name: string, ask: () => Promise<T>, about: (event: News) => boolean = (event) => event.event === 'changed'): Live<T> {
  const kiez = useKiez();
  const answer = kiez.answer(name, ask);
  $effect(() => answer.use(ask, about));
  return answer;
}
