/** Until what stands in the page now was drawn; in a window that nobody sees, a moment. */
export const drawn = () =>
  new Promise<void>((done) => {
    const late = setTimeout(done, 100);
    requestAnimationFrame(() => setTimeout(() => { clearTimeout(late); done(); }, 0));
  });
