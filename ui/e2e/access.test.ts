import { describe, expect, it } from 'vitest';
import { Neighbour } from './neighbour';
import type { Kind } from './screen';
import { inAStreet, type Street } from './street';
import { tour } from './tour';
import type { Language } from './words';

/** On a wide page the rail reaches from the lines above it to the lower end, however the page is scrolled, and when lines come and go. */
const RAIL = `(() => {
  const rail = document.querySelector('.app > .rail');
  if (!rail || getComputedStyle(rail).display === 'none') return '';
  const lines = document.querySelector('.lines').getBoundingClientRect().bottom;
  const { top, bottom } = rail.getBoundingClientRect();
  return Math.abs(top - lines) < 2 && Math.abs(bottom - innerHeight) < 2 ? '' : 'the rail reaches from ' + top + ' to ' + bottom + ', below lines to ' + lines + ', of ' + innerHeight;
})()`;
/** axe in every place; all that it finds, with its place. */
async function everywhere(street: Street, kind: Kind, language: Language, look: 'light' | 'dark') {
  const ada = new Neighbour('Ada', language, kind, street);
  await ada.opensKiez();
  await ada.wears(look);
  const found: string[] = [];
  const places: string[] = [];
  await tour(ada, street.home('Ben'), async (place) => {
    places.push(place);
    const rail = String(await ada.screen.engine.evaluate(RAIL));
    found.push(...[...(await ada.screen.violations()), ...(rail === '' ? [] : [rail])].map((fault) => `${place}: ${fault}`));
  });
  expect(found.join('\n')).toBe('');
  expect(places.length).toBeGreaterThan(25);
}

describe('axe finds no fault in any place', () => {
  it('in the window, light, German', inAStreet((street) => everywhere(street, 'window', 'de', 'light')));
  it('in the window, dark, English', inAStreet((street) => everywhere(street, 'window', 'en', 'dark')));
  it('in Chromium, light, English', inAStreet((street) => everywhere(street, 'chromium', 'en', 'light')));
  it('in Chromium, dark, German', inAStreet((street) => everywhere(street, 'chromium', 'de', 'dark')));
});
