import { covers } from './covers';

/**
 * What floats over the lower edge stands above this part, wherever the part is just now: it is never covered. Only as long as it
 * is in the lower half; higher up nothing reaches it.
 */
export function pinned(part: HTMLElement): () => void {
  const tell = () => {
    const high = innerHeight - part.getBoundingClientRect().top;
    covers('--pinned', high > 0 && high <= innerHeight / 2 ? Math.ceil(high) : 0);
  };
  const size = new ResizeObserver(tell);
  size.observe(part);
  size.observe(document.body);
  addEventListener('scroll', tell, { passive: true });
  addEventListener('resize', tell);
  tell();
  return () => {
    size.disconnect();
    removeEventListener('scroll', tell);
    removeEventListener('resize', tell);
    covers('--pinned', 0);
  };
}
