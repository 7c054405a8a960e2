import type { Client, Version } from '$lib/api';
import { diff } from '$lib/text/diff';
import { apply, rebase, toSplices } from '$lib/text/ops';

/**
 * Brings an earlier version of an idea back, as one more change of the texts as they are now: nothing is cut out of the past.
 * Answers how to undo just that, whatever others have written since.
 */
export async function restore(client: Client, group: string, id: string, version: Version): Promise<() => Promise<void>> {
  const now = await client.idea(group, id);
  const undo: (() => Promise<unknown>)[] = [];
  for (const [field, before, then] of [['title', now.title, version.title], ['body', now.body, version.body]] as const) {
    const ops = diff(before.text, then);
    if (ops.length === 0) continue;
    const after = await client.ideaText(group, id, field, before.heads, toSplices(ops));
    const mine = apply(before.text, ops);
    const back = rebase(diff(mine, before.text), diff(mine, after.text), false);
    undo.push(() => client.ideaText(group, id, field, after.heads, toSplices(back)));
  }
  return async () => {
    for (const step of undo) await step();
  };
}
