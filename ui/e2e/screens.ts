import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { beforeAll, describe, it } from 'vitest';
import { Neighbour } from './neighbour';
import { inAStreet, type Street } from './street';
import { tour } from './tour';
import type { Language } from './words';

// Pictures of every place of the real program, for looking at. `make screens`; `npm run screens` where there is a display.
const SHOTS = resolve(import.meta.dirname, '../shots');
const WIDE = { width: 1280, height: 900 };
const NARROW = { width: 390, height: 844 };

const lay = (picture: Buffer, ...name: string[]) => writeFileSync(`${SHOTS}/${name.join('-')}.png`, picture);

async function inChromium(street: Street, language: Language) {
  const ada = new Neighbour('Ada', language, 'chromium', street);
  await ada.opensKiez();
  const { screen } = ada;
  await screen.engine.resize(WIDE.width, WIDE.height);
  await tour(ada, street.home('Ben'), async (place) => {
    for (const size of [NARROW, WIDE]) {
      await screen.engine.resize(size.width, size.height);
      for (const look of ['dark', 'light'] as const) {
        await screen.engine.prefer(look);
        await screen.engine.evaluate('scrollTo(0, 0)');
        await screen.settled();
        lay(await screen.picture(true), place, String(size.width), look, language);
      }
    }
  });
}

async function inTheWindow(street: Street, language: Language, look: 'light' | 'dark') {
  const ada = new Neighbour('Ada', language, 'window', street);
  await ada.opensKiez();
  await ada.wears(look);
  await tour(ada, street.home('Ben'), async (place) => lay(await ada.screen.picture(), place, 'window', look, language));
}

describe('pictures of every place', () => {
  beforeAll(() => {
    rmSync(SHOTS, { recursive: true, force: true });
    mkdirSync(SHOTS, { recursive: true });
  });
  it('in Chromium, German', inAStreet((street) => inChromium(street, 'de')));
  it('in Chromium, English', inAStreet((street) => inChromium(street, 'en')));
  it('in the window, light, German', inAStreet((street) => inTheWindow(street, 'de', 'light')));
  it('in the window, dark, English', inAStreet((street) => inTheWindow(street, 'en', 'dark')));
});
