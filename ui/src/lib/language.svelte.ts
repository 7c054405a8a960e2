import { getLocale, setLocale } from '$words';

/** The language of the page. Changing it draws everything anew, without leaving the page: what was begun is kept. */
class Language {
  now = $state(getLocale());
  async choose(next: typeof this.now) {
    await setLocale(next);
    document.documentElement.lang = next;
    this.now = next;
  }
}
export const language = new Language();
