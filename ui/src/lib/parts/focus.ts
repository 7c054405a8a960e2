/** Where the focus goes when a part is opened: to its first field, or to itself. */
export const focusFirst = (part: HTMLElement) => part.querySelector<HTMLElement>('input, textarea, select, button')?.focus();
export const focusSelf = (part: HTMLElement) => part.focus();

/** Does something once it can be done: looked for a frame at a time, for at most two seconds. Returns how to stop. */
export function once(done: () => boolean): () => void {
  const until = performance.now() + 2_000;
  let frame = 0;
  const step = () => {
    if (!done() && performance.now() < until) frame = requestAnimationFrame(step);
  };
  step();
  return () => cancelAnimationFrame(frame);
}
/** The focus for something that is drawn anew. */
export const focusAgain = (selector: string) =>
  once(() => {
    const part = document.querySelector<HTMLElement>(selector);
    part?.focus();
    return part !== null;
  });
