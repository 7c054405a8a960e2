import { mkdirSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Neighbour } from './neighbour';
import type { Kind } from './screen';
import { inAStreet, type Street } from './street';
import { until } from './until';

const GROUP = 'Rawa-Ufer';
const IDEA = 'Eine Bank unter der Linde';
const NUMBER = '0201 555 777';
const REASON = 'Friedas Nummer geht nur uns an.';
const LEFT = 'Frieda fragt beim Amt nach.';
const SHOTS = resolve(import.meta.dirname, '../shots');

/** A picture for looking at. */
async function picture(who: Neighbour, name: string) {
  mkdirSync(SHOTS, { recursive: true });
  writeFileSync(`${SHOTS}/erase-${name}.png`, await who.screen.picture(true));
}

/** Writes other words into the idea that is open. */
async function rewrites(who: Neighbour, text: string) {
  await who.writesAlong();
  await who.screen.type(who.m.text_label(), text);
  await who.allKept();
  await who.screen.press('button', who.m.writing_done());
  await who.screen.gone('textbox', who.m.text_label());
}

/** One erases what they have said; two erase what stood in an idea, and who signs reads before what will be left. */
async function erasing(street: Street, kind: Kind) {
  const ada = new Neighbour('Ada', 'de', kind, street);
  const ben = new Neighbour('Ben', 'en', kind, street);
  for (const one of [ada, ben]) {
    await one.opensKiez();
    await one.makesProfile();
  }
  await ada.founds(GROUP);
  await ada.writesIdea(IDEA, `Ruft Frieda an: ${NUMBER}.`, '400');
  await ada.goesTo('today');
  await ben.joins(await ada.invites(), GROUP);
  for (const one of [ada, ben]) await one.compared();
  await ada.opensPerson('Ben');
  await ada.screen.press('summary', ada.m.do_steward());
  await ada.screen.press('button', ada.m.propose_at_once());
  await ada.screen.read(ada.m.role_steward());

  // Ben has said too much. He takes it back, with his passphrase, and Ada does not have it any more either.
  await ben.opensIdea(IDEA);
  await ben.screen.type(ben.m.your_comment(), `Meine ist ${NUMBER} 9.`);
  await ben.screen.press('button', ben.m.comment_add());
  await ada.opensIdea(IDEA);
  await ada.screen.read(`Meine ist ${NUMBER} 9.`);
  expect(await ada.screen.look({ role: 'summary', name: ada.m.erase_comment() })).toEqual([]);
  await ben.screen.press('summary', ben.m.erase_comment());
  await ben.screen.read(ben.m.means_erase_limits());
  await picture(ben, 'own-comment');
  await ben.screen.type(ben.m.passphrase(), ben.passphrase, 'password');
  await ben.screen.press('button', ben.m.erase_own_now());
  for (const one of [ben, ada]) await until(`${one.name} has the comment no more`, async () => !(await one.screen.text()).includes('Meine ist'));

  // Ada takes the number out of the idea, and proposes to erase what stood there before.
  await rewrites(ada, LEFT);
  await ada.screen.press('summary', ada.m.erase_propose());
  await ada.screen.read(ada.m.means_erase_stays());
  await ada.screen.type(ada.m.propose_reason(), REASON);
  await ada.screen.press('button', ada.m.propose());
  await ada.screen.gone('button', ada.m.propose());

  // Ben reads what would be left: it is what stands there now.
  await ben.goesTo('today');
  await ben.screen.see('heading', { pattern: ben.m.wish_erase_idea({ title: '' }).replace(/[\u2066-\u2069]/gu, '').trim() });
  await ben.screen.read(ben.m.erases_same());
  await ben.screen.press('summary', ben.m.erases_reads());
  await ben.screen.read(LEFT);
  await picture(ben, 'same');

  // He goes on writing there, and forgets it. Now he is warned.
  await ben.opensIdea(IDEA);
  await ben.screen.read(LEFT);
  await rewrites(ben, `${LEFT} Am Mittag.`);
  await ben.goesTo('today');
  await ben.screen.read(ben.m.erases_other());
  await ben.screen.read(ben.m.erases_differs({ what: ben.m.differs_text() }));
  await ben.screen.read(new RegExp('would not count any more', 'u'));
  expect(await ben.screen.violations()).toEqual([]);
  await picture(ben, 'other');
  await ben.screen.press('button', ben.m.motion_sign());
  await ben.screen.gone('button', ben.m.motion_sign());

  // Both have the idea as it was left; that it came to this is told, and to Ben, what of his came too late.
  for (const one of [ada, ben]) {
    await one.opensIdea(IDEA);
    await one.screen.read(one.m.motion_reason({ reason: REASON }));
    await until(`${one.name} reads what was left`, async () => {
      const text = await one.screen.text();
      return text.includes(LEFT) && !text.includes('Am Mittag') && !text.includes(NUMBER);
    });
  }
  await ada.screen.read(ada.m.erased_late({ count: 1 }).slice(0, 20));
  await picture(ada, 'told-others');
  await picture(ben, 'told-author');
  await ben.screen.press('link', { pattern: 'write (it|them) again$' });
  await ben.screen.read(ben.m.late_text());
  await ben.screen.read('Am Mittag.');
  await picture(ben, 'late');
  expect(await ben.screen.violations()).toEqual([]);

  // In the versions nothing of before is left, and it is said why.
  await ada.screen.press('link', ada.m.versions());
  await ada.screen.see('heading', ada.m.versions());
  await ada.screen.read(ada.m.motion_reason({ reason: REASON }));
  expect(await ada.screen.text()).not.toContain(NUMBER);
  await picture(ada, 'versions');
}

describe('something is erased', () => {
  it('in two windows', inAStreet((street) => erasing(street, 'window')));
});
