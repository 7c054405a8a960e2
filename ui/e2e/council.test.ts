import { mkdirSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Neighbour } from './neighbour';
import type { Kind } from './screen';
import { inAStreet, type Street } from './street';

const GROUP = 'Rawa-Ufer';
const IDEA = 'Eine Bank unter der Linde';
const REASON = 'Sie hat in unserem Namen Geld gesammelt.';
const SHOTS = resolve(import.meta.dirname, '../shots');

/** A picture for looking at. */
async function picture(who: Neighbour, name: string) {
  mkdirSync(SHOTS, { recursive: true });
  writeFileSync(`${SHOTS}/council-${name}.png`, await who.screen.picture());
}

/** Two stewards remove somebody; what it was and what it means is said in plain words on both sides. */
async function removal(street: Street, kind: Kind) {
  const ada = new Neighbour('Ada', 'de', kind, street);
  const ben = new Neighbour('Ben', 'en', kind, street);
  const cleo = new Neighbour('Cleo', 'en', kind, street);
  for (const one of [ada, ben, cleo]) {
    await one.opensKiez();
    await one.makesProfile();
  }
  await ada.founds(GROUP);
  await ada.writesIdea(IDEA, 'Die Bank steht unter der Linde.', '400');
  for (const guest of [ben, cleo]) {
    await ada.goesTo('today');
    await guest.joins(await ada.invites(), GROUP);
    for (const one of [ada, guest]) await one.compared();
  }

  // Alone among the stewards, one signature is enough.
  await ada.opensPerson('Ben');
  await ada.screen.press('summary', ada.m.do_steward());
  await ada.screen.read(ada.m.takes_at_once());
  await ada.screen.press('button', ada.m.propose_at_once());
  await ada.screen.read(ada.m.role_steward());
  await ada.screen.see('summary', ada.m.do_no_steward());

  // From now on it takes both. That is said before anything is proposed, and what it means.
  await ada.opensPerson('Cleo');
  await ada.screen.press('summary', ada.m.do_remove());
  await ada.screen.read(ada.m.takes_both());
  await ada.screen.read(ada.m.means_remove_stays({ name: 'Cleo' }));
  await picture(ada, 'proposing');
  await ada.screen.type(ada.m.propose_reason(), REASON);
  await ada.screen.press('button', ada.m.propose());
  await ada.screen.read(ada.m.missing_stewards({ count: 1 }));
  expect(await cleo.screen.text()).not.toContain(cleo.m.gone_removed());

  // Ben is told under “Today” that something waits for his signature.
  await ben.goesTo('today');
  await ben.screen.see('heading', ben.m.wish_remove({ name: 'Cleo' }));
  await ben.screen.read(ben.m.motion_reason({ reason: REASON }));
  await ben.screen.read(ben.m.means_remove_reads({ name: 'Cleo' }));
  await picture(ben, 'to-sign');
  await ben.screen.press('button', ben.m.motion_sign());
  await ben.screen.gone('button', ben.m.motion_sign());

  // Those who stay see who has gone, by whom, why, and when.
  for (const one of [ada, ben]) {
    await one.goesTo('people');
    await one.screen.see('heading', one.m.former_head());
    await one.screen.read(one.m.motion_reason({ reason: REASON }));
    await one.screen.read(one.m.people_count({ count: 2 }));
    await picture(one, `stays-${one.name}`);
    await one.screen.press('link', one.m.motions());
    await one.screen.see('heading', one.m.motions_carried());
    expect(await one.screen.violations()).toEqual([]);
  }

  // Who was removed is told so in every place: by whom, why, and what it means. What was there can be read still; nothing can be written.
  await cleo.goesTo('today');
  await cleo.screen.read(cleo.m.gone_removed());
  await cleo.screen.read(/Ada and Ben decided|Ben and Ada decided/u);
  await cleo.screen.read(cleo.m.motion_reason({ reason: REASON }));
  await cleo.screen.read(cleo.m.gone_means());
  await picture(cleo, 'removed-today');
  for (const place of ['ideas', 'decisions', 'tasks', 'people', 'settings'] as const) {
    await cleo.goesTo(place);
    await cleo.screen.read(cleo.m.gone_removed());
    await cleo.screen.settled();
    expect([place, await cleo.screen.violations()]).toEqual([place, []]);
  }
  await cleo.goesTo('ideas');
  expect(await cleo.screen.look({ role: 'link', name: cleo.m.write_idea() })).toEqual([]);
  await cleo.opensIdea(IDEA);
  await cleo.screen.read('Die Bank steht unter der Linde.');
  await cleo.screen.read(cleo.m.gone_means());
  for (const [role, name] of [['button', cleo.m.write_along()], ['textbox', cleo.m.your_comment()], ['summary', cleo.m.open_vote()], ['summary', cleo.m.task_add()]] as const) {
    expect([name, await cleo.screen.look({ role, name })]).toEqual([name, []]);
  }
  await picture(cleo, 'removed-idea');

  // What is written from now on does not come to who was removed.
  await ben.opensIdea(IDEA);
  await ben.screen.type(ben.m.your_comment(), 'Unter uns.');
  await ben.screen.press('button', ben.m.comment_add());
  await ada.opensIdea(IDEA);
  await ada.screen.read('Unter uns.');
  expect(await cleo.screen.text()).not.toContain('Unter uns.');
}

describe('two stewards remove somebody', () => {
  it('in three windows', inAStreet((street) => removal(street, 'window')));
});
