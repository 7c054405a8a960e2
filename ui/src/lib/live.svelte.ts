import { untrack } from 'svelte';
import { asKiezError, type KiezError, type News } from './api';
import { useKiez } from './kiez.svelte';

/** An answer that stays true: asked again whenever something changed that it may be about. */
export class Live<T> {
  value = $state.raw<T | undefined>(undefined);
  error = $state.raw<KiezError | null>(null);
  /** When the answer that is shown was asked for. */
  asked = 0;
  again: () => void = () => undefined;
}

/** Call it while a part is being set up. `ask` may read state: when that changes, it is asked anew. */
export function live<T>(ask: () => Promise<T>, about: (event: News) => boolean = () => true): Live<T> {
  const kiez = useKiez();
  const answer = new Live<T>();
  $effect(() => {
    let stopped = false;
    let asking = false;
    let stale = false;
    const take = (promise: Promise<T>) => {
      asking = true;
      stale = false;
      const asked = performance.now();
      promise
        .then(
          (value) => {
            if (stopped) return;
            answer.asked = asked;
            answer.value = value;
            answer.error = null;
          },
          (error: unknown) => {
            if (!stopped) answer.error = asKiezError(error);
          },
        )
        .finally(() => {
          asking = false;
          if (stale && !stopped) take(untrack(ask));
        });
    };
    const again = () => {
      if (asking) stale = true;
      else take(untrack(ask));
    };
    answer.again = again;
    take(ask());
    const off = kiez.onNews((event) => {
      if (event === 'all' || about(event)) again();
    });
    return () => {
      stopped = true;
      off();
    };
  });
  return answer;
}
