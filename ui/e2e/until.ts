/** How long something may take before a test gives up, in milliseconds. Generous: it decides nothing but when a failure is told. */
export const LIMIT = 30_000;

/** Asks until there is an answer that is neither `undefined`, `null` nor `false`, and answers it. What was thrown meanwhile is told at the limit. */
export async function until<T>(what: string, ask: () => Promise<T> | T, limit = LIMIT): Promise<NonNullable<Exclude<T, false>>> {
  const end = performance.now() + limit;
  let last: unknown = 'nothing was there';
  for (;;) {
    try {
      const answer = await ask();
      if (answer !== undefined && answer !== null && answer !== false) return answer as NonNullable<Exclude<T, false>>;
    } catch (error) {
      last = error;
    }
    if (performance.now() > end) throw new Error(`Waited in vain for: ${what} (${last instanceof Error ? last.message : String(last)})`);
    await new Promise((done) => setTimeout(done, 25));
  }
}
