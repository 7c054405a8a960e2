import '@fontsource-variable/source-serif-4/standard.css';
import '@fontsource-variable/source-sans-3/index.css';
import './styles/all.css';
import { mount } from 'svelte';
import App from './app/App.svelte';
import { applyLook, applySize } from '$lib/look.svelte';
import { Client, type Backend } from '$lib/api';
import { HttpBackend } from '$lib/api/http';
import { getLocale } from '$words';

/** The window, a neighbourhood in memory (`?demo`, `?demo=new`, `locked`, `empty`, `alone`, `two`, `year`, `hostile`, `council`, `removed`, `left`, `device-out`, `void`), or the local server. */
async function backend(): Promise<Backend> {
  if ('__TAURI_INTERNALS__' in window) {
    const { TauriBackend } = await import('$lib/api/tauri');
    return new TauriBackend();
  }
  const demo = new URLSearchParams(location.search).get('demo');
  if (demo !== null) {
    const { MemoryBackend } = await import('$lib/api/memory');
    const state = demo === 'new' || demo === 'locked' ? demo : 'open';
    const size =
      demo === 'year' ? (await import('$lib/api/memory/year')).year()
      : demo === 'hostile' ? (await import('$lib/api/memory/hostile')).hostile()
      : demo === 'empty' || demo === 'alone' || demo === 'two' || demo === 'council' || demo === 'removed' || demo === 'left' || demo === 'device-out' || demo === 'void' ? demo : 'full';
    const made = new MemoryBackend({ state, size, delay: 8 });
    Object.assign(window, { kiezDemo: made });
    return made;
  }
  return new HttpBackend();
}

document.documentElement.lang = getLocale();
applyLook();
applySize();
const client = new Client(await backend());
mount(App, { target: document.body, props: { client } });
