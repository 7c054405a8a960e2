/** Of a double click the first counts: with the second, another row may lie under the hand. */
export function single(part: HTMLElement): () => void {
  const hear = (event: MouseEvent) => {
    if (event.detail < 2) return;
    event.preventDefault();
    event.stopPropagation();
  };
  // Before what the part itself does with it.
  part.addEventListener('click', hear, { capture: true });
  return () => { part.removeEventListener('click', hear, { capture: true }); };
}
