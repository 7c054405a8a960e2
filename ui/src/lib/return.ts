import { once } from './parts/focus';
import type { Spot } from './route.svelte';

/** Who scrolls on their own is not pulled back. */
const hands = ['wheel', 'keydown', 'pointerdown', 'touchmove'] as const;

/** Scrolls to where the reader was, once the page is long enough, and puts the focus on the link they went by. Returns how to stop. */
export function returnTo(spot: Spot, main: () => HTMLElement | undefined): () => void {
  let stopLooking: (() => void) | null = null;
  const leave = () => {
    stopLooking?.();
    for (const kind of hands) removeEventListener(kind, leave);
  };
  for (const kind of hands) addEventListener(kind, leave, { passive: true });
  main()?.focus({ preventScroll: true });
  stopLooking = once(() => {
    const link = spot.link === null ? null : [...(main()?.querySelectorAll('a') ?? [])].find((one) => one.getAttribute('href') === spot.link);
    const long = spot.y === 0 || document.documentElement.scrollHeight - innerHeight >= spot.y;
    if (!long || link === undefined) return false;
    link?.focus({ preventScroll: true });
    window.scrollTo(0, spot.y);
    // Rows above that were never seen are as high as they were guessed to be: the link says where the place is now.
    if (link) {
      window.scrollBy(0, link.getBoundingClientRect().top - spot.below);
      requestAnimationFrame(() => window.scrollBy(0, link.getBoundingClientRect().top - spot.below));
    }
    leave();
    return true;
  });
  return leave;
}
