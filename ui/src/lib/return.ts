/** How long a page may take to be as long again as it was. */
const PATIENCE = 2_000;

/** Scrolls to where the reader was, once the page is long enough, and puts the focus on the link they went by. Returns how to stop. */
export function returnTo(spot: { y: number; link: string | null }, main: () => HTMLElement | undefined): () => void {
  const until = performance.now() + PATIENCE;
  let frame = 0;
  const stop = () => {
    cancelAnimationFrame(frame);
    for (const kind of hands) removeEventListener(kind, stop);
  };
  // Who scrolls on their own is not pulled back.
  const hands = ['wheel', 'keydown', 'pointerdown', 'touchmove'] as const;
  for (const kind of hands) addEventListener(kind, stop, { passive: true });
  main()?.focus({ preventScroll: true });
  const step = () => {
    const link = spot.link === null ? null : main()?.querySelector<HTMLElement>(`a[href="${CSS.escape(spot.link)}"]`);
    const long = document.documentElement.scrollHeight - innerHeight >= spot.y;
    const late = performance.now() > until;
    if ((long && (spot.link === null || link)) || late) {
      link?.focus({ preventScroll: true });
      window.scrollTo(0, spot.y);
      stop();
    } else frame = requestAnimationFrame(step);
  };
  frame = requestAnimationFrame(step);
  return stop;
}
