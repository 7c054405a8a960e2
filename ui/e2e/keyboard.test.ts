import { describe, expect, it } from 'vitest';
import { Neighbour } from './neighbour';
import type { Kind, Screen } from './screen';
import { inAStreet, type Street } from './street';
import { until } from './until';

/** More stops than any of these pages has. */
const STOPS = 80;

/** Goes with Tab to what is called so, from wherever the focus is. Each stop on the way must show where the focus is. */
async function tabTo(screen: Screen, role: string, name: string): Promise<void> {
  const passed: string[] = [];
  // A place that has just been opened takes the focus to its beginning.
  await screen.settled();
  for (let stop = 0; stop < STOPS; stop += 1) {
    await screen.key('Tab');
    // Past the last stop and before the first there is none.
    if ((await screen.focus()) === null) continue;
    // What has just got the focus may still be on its way into the picture.
    const at = await until('where the focus is can be seen', async () => {
      const focus = await screen.focus();
      expect(focus).toMatchObject({ outlined: true, inView: true });
      return focus;
    });
    passed.push(`${at.role} ${at.name}`);
    if (at.role === role && at.name.startsWith(name)) return;
  }
  throw new Error(`Tab leads to no ${role} “${name}”, but to:\n${passed.join('\n')}`);
}

/** From the first start to a group with an idea and a vote cast, and no mouse. */
async function byKeyboard(street: Street, kind: Kind) {
  const ada = new Neighbour('Ada', 'de', kind, street);
  await ada.opensKiez();
  const { screen, m } = ada;

  await tabTo(screen, 'input:text', m.your_name());
  await screen.write('Ada', 0);
  await tabTo(screen, 'input:password', m.passphrase_choose());
  await screen.write(ada.passphrase, 0);
  await screen.key('Enter');
  await screen.see('heading', m.how_to_begin());

  await tabTo(screen, 'button', m.found_now());
  await screen.key(' ');
  await screen.see('textbox', m.group_name());
  await tabTo(screen, 'input:text', m.group_name());
  await screen.write('Rawa-Ufer', 0);
  await screen.key('Enter');
  await screen.see('heading', 'Rawa-Ufer');

  await tabTo(screen, 'a', m.write_idea());
  await screen.key('Enter');
  await screen.see('heading', m.write_idea());
  await tabTo(screen, 'input:text', m.idea_title());
  await screen.write('Bücherschrank an der Ecke', 0);
  await tabTo(screen, 'textarea', m.idea_body());
  await screen.write('Nimm eins,\nstell eins hinein.', 0);
  await tabTo(screen, 'button', m.idea_add());
  await screen.key('Enter');
  await screen.see('heading', m.what_it_is());

  await tabTo(screen, 'summary', m.open_vote());
  await screen.key('Enter');
  await tabTo(screen, 'input:radio', m.method_yes_no());
  await screen.key('ArrowDown');
  await until('the other way is chosen', async () => (await screen.see('radio', m.method_approval())).checked);
  await screen.key('ArrowUp');
  await until('the first way is chosen again', async () => (await screen.see('radio', m.method_yes_no())).checked);
  await tabTo(screen, 'button', m.open_vote());
  await screen.key(' ');
  await screen.see('button', m.cast_ballot());

  await tabTo(screen, 'input:radio', m.yes());
  await screen.key(' ');
  await until('Yes is crossed', async () => (await screen.see('radio', { pattern: `^${m.yes()}` })).checked);
  await tabTo(screen, 'button', m.cast_ballot());
  await screen.key('Enter');
  await screen.see('heading', m.place_decisions());
  await screen.read(m.you_voted());
}

describe('from the first start to a vote cast, by keyboard alone', () => {
  it('in the window', inAStreet((street) => byKeyboard(street, 'window')));
  it('in Chromium', inAStreet((street) => byKeyboard(street, 'chromium')));
});
