/** What parts at the edges cover of the page, in CSS: `base.css` says who uses it. */
export type Cover = '--lines' | '--overlaid' | '--pinned' | '--bar';

/**
 * Says how high it is now, to everybody who uses it. What comes later takes it from the root; WebKit does not hand down a change of
 * it to those who are there.
 */
export function covers(name: Cover, high: number) {
  const parts = document.querySelectorAll<HTMLElement>(':root, body, body > *, .app > main, .plain > main, .app > .rail');
  for (const part of parts) part.style.setProperty(name, `${high}px`);
}
export const covered = (name: Cover) => parseFloat(document.documentElement.style.getPropertyValue(name)) || 0;
