import { expect, it } from 'vitest';
import { ChromiumEngine, serve } from './chromium';
import { Neighbour } from './neighbour';
import { inAStreet } from './street';
import { until } from './until';

const IDEA = 'Ein Zebrastreifen vor der Schule';

it('a Kiez that died under the page: that is said; started anew, it leads back to where everything is', inAStreet(async (street) => {
  const ada = new Neighbour('Ada', 'de', 'chromium', street);
  await ada.opensKiez();
  await ada.makesProfile();
  await ada.founds('Rawa-Ufer');
  await ada.writesIdea(IDEA, 'Dort rasen sie.', '900');
  const { screen, m } = ada;
  const engine = screen.engine as ChromiumEngine;

  await engine.kiez.end('SIGKILL');
  await screen.read(m.link_lost());
  // What cannot be done now says so, and what was typed stays.
  await screen.type(m.your_comment(), 'Ich frage beim Amt.');
  await screen.press('button', m.comment_add());
  await screen.read(m.error_connection_lost());
  expect((await screen.see('textbox', m.your_comment())).value).toBe('Ich frage beim Amt.');

  await ada.writesAlong();
  await ada.standsAtEnd();
  await screen.write(' Jeden Morgen.');
  const { kiez, address } = await serve(ada.home, engine.port);
  engine.kiez = kiez;
  // It does not know this page: the page says what to do.
  await screen.read(m.link_anew());
  // In another tab, as from a terminal: the page that was open heals by itself.
  const tab = await engine.page.context().newPage();
  await tab.goto(address);
  await screen.see('button', m.open_kiez());
  expect(await screen.text()).not.toContain(m.link_anew());
  await ada.unlocks();
  await screen.see('heading', { pattern: `${IDEA}$` });
  expect((await screen.see('textbox', m.your_comment())).value).toBe('Ich frage beim Amt.');
  await until('the words written meanwhile are there', async () => (await ada.text()) === 'Dort rasen sie. Jeden Morgen.');
  await ada.allKept();
}));
