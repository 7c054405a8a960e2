import { render } from '@testing-library/svelte';
import App from '../src/app/App.svelte';
import { Client } from '../src/lib/api';
import { MemoryBackend, type Options } from '../src/lib/api/memory';
import { language } from '../src/lib/language.svelte';
import { parse, where } from '../src/lib/route.svelte';

export const long = { timeout: 8000 };

/** The whole page at an address, over a neighbourhood in memory. */
export async function open(hash: string, options: Options = {}, words: 'de' | 'en' = 'de') {
  await language.choose(words);
  location.hash = hash;
  where.now = parse(hash);
  const backend = new MemoryBackend(options);
  const page = render(App, { client: new Client(backend) });
  return { backend, ...page };
}
/** Goes on, as a link would. */
export function goTo(hash: string) {
  location.hash = hash;
  where.now = parse(hash);
}
/** The places are loaded when they are gone to; here all at once, so that no test waits for vite. */
export const places = () => Promise.all(Object.values(import.meta.glob('../src/features/*/*.svelte')).map((load) => load()));
