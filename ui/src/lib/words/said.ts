import { m } from './index';

/**
 * What turns the direction of the words after it. `<bdi>` and isolates hold it in, but for a closing isolate in front of it: in
 * Chromium "\u2069\u202e" in a name turned the interface's own words behind the name around. So none of these is shown.
 */
const TURNING = /[\u202a-\u202e\u2066-\u2069]/g;
/** Marks piled on a letter reach into the lines above and below. */
const PILED = /(\p{M}{4})\p{M}+/gu;
/** Something that can be seen: not only blanks, joiners and letters without a form. */
const SEEN = /(?![\u115f\u1160\u2800\u3164\uffa0])[\p{L}\p{N}\p{P}\p{S}]/u;

/** What others wrote, fit to stand beside the words of Kiez. */
export const tamed = (text: string): string => text.replace(TURNING, '').replace(PILED, '$1');

/** The same for names and titles: where nothing can be seen, that is said, so that a link stays one. */
export function said(text: string): string {
  const plain = tamed(text);
  return SEEN.test(plain) ? plain : m.nothing_to_read();
}

/** Headlines over some length are set a step smaller. */
export const isLong = (headline: string): boolean => headline.length > 60;

const FIRST_STRONG = String.fromCharCode(0x2068);
const POP = String.fromCharCode(0x2069);
/** Words of others within a sentence of Kiez: kept apart, so that they cannot turn what stands around them. */
export const apart = (text: string): string => FIRST_STRONG + said(text) + POP;
