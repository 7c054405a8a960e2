import { afterEach, vi } from 'vitest';
import { cleanup } from '@testing-library/svelte';

afterEach(() => {
  cleanup();
  localStorage.clear();
  location.hash = '';
});
// What jsdom does not have.
Element.prototype.scrollIntoView ??= () => undefined;
window.scrollTo = () => undefined;
window.scrollBy = () => undefined;
window.matchMedia ??= vi.fn().mockImplementation((query: string) => ({
  matches: false, media: query, addEventListener: () => undefined, removeEventListener: () => undefined,
}));
globalThis.ResizeObserver ??= class { observe() {} unobserve() {} disconnect() {} };
