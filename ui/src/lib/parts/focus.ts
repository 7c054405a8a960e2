import { covered } from './covers';

/** Where the focus goes when a part is opened: to its first field, or to itself. */
export const focusFirst = (part: HTMLElement) => focusOn(part.querySelector<HTMLElement>('input, textarea, select, button'));
export const focusSelf = (part: HTMLElement) => focusOn(part);
/** The page moves only if one could not see where the focus went: not to bring the end of something long into view. */
function focusOn(part: HTMLElement | null) {
  if (!part) return;
  part.focus({ preventScroll: true });
  const { top, bottom } = part.getBoundingClientRect();
  const above = top < covered('--lines');
  if (above || Math.min(bottom, top + LINE) > innerHeight - covered('--overlaid') - covered('--bar')) part.scrollIntoView({ block: above ? 'start' : 'nearest' });
}
/** So much of it is enough to see. */
const LINE = 64;

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
