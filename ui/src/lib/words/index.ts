import { getLocale as looked, overwriteGetLocale, setLocale as kept } from './made/runtime.js';

export { m } from './made/messages.js';
export { locales } from './made/runtime.js';

// Looked up once and not for every word: a list has thousands.
let now = looked();
overwriteGetLocale(() => now);

export const getLocale = () => now;
/** Words that are shown already stay: who calls this draws them anew. */
export async function setLocale(next: typeof now) {
  await kept(next, { reload: false });
  now = next;
}
