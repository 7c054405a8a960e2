import { m } from '../src/lib/words/made/messages.js';

export type Language = 'de' | 'en';
export type Words = typeof m;

/** The words of the page in one language, as the page itself has them from its catalogue. */
export function words(language: Language): Words {
  type Word = (inputs: object, options: { locale: Language }) => string;
  return new Proxy(m, {
    get: (all, name) => (inputs: object = {}) => {
      const word = (all as unknown as Record<string | symbol, Word | undefined>)[name];
      if (!word) throw new Error(`There is no word “${String(name)}”.`);
      return word(inputs, { locale: language });
    },
  });
}
