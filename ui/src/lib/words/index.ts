export { m } from './made/messages.js';
export { getLocale, setLocale, locales } from './made/runtime.js';
