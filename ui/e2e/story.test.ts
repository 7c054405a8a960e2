import { describe, expect, it } from 'vitest';
import { Neighbour } from './neighbour';
import type { Kind } from './screen';
import { inAStreet, type Street } from './street';
import { until } from './until';

const GROUP = 'Rawa-Ufer';
const IDEA = 'Eine Bank unter der Linde';
const BODY = 'Die Bank steht unter der Linde.';
const TASK = 'Beim Amt nach der Linde fragen';

/** Two people, from the first start to a task done, and once more after a restart. The first reads German, the other one English. */
async function story(street: Street, first: Kind, second: Kind) {
  const homes = [street.home('Ada'), street.home('Ben')] as const;
  const ada = new Neighbour('Ada', await street.open(first, homes[0]));
  const ben = new Neighbour('Ben', await street.open(second, homes[1]));
  await Promise.all([ada.screen.speak('de'), ben.screen.speak('en')]);

  await Promise.all([ada.makesProfile(), ben.makesProfile()]);
  await ada.founds(GROUP);
  await ada.writesIdea(IDEA, BODY, '400');
  await ben.joins(await ada.invites(), GROUP);
  if (!process.env.NO_DIGITS) expect(await ben.digits()).toBe(await ada.digits());

  await together(ada, ben);
  await vote(ada, ben);
  await task(ada, ben);
  await apartAndRestarted(street, [first, second], homes, [ada, ben]);
}

/** Both write in one paragraph at the same time. */
async function together(ada: Neighbour, ben: Neighbour) {
  await ada.opensIdea(IDEA);
  await ben.opensIdea(IDEA);
  await Promise.all([ada.writesAlong(), ben.writesAlong()]);
  await ada.standsBefore('unter der Linde');
  await ben.standsBefore('Die Bank');
  // What Ben puts in before it moves what Ada is writing, letter by letter.
  await Promise.all([ada.screen.write('ab morgen '), ben.screen.write('Endlich steht fest: ')]);
  const both = 'Endlich steht fest: Die Bank steht ab morgen unter der Linde.';
  await reads(both, ada, ben);
  // The caret is where it was: the next word follows the last one.
  await Promise.all([ada.screen.write('früh '), ben.screen.write('Hurra! ')]);
  await reads('Endlich steht fest: Hurra! Die Bank steht ab morgen früh unter der Linde.', ada, ben);
  await Promise.all([ada.screen.press('button', ada.m.writing_done()), ben.screen.press('button', ben.m.writing_done())]);
}
async function reads(text: string, ...all: Neighbour[]) {
  await Promise.all(
    all.map((one) =>
      until(`${one.name} reads it`, async () => {
        const now = await one.text();
        if (now !== text) throw new Error(now);
        return true;
      }),
    ),
  );
}

async function vote(ada: Neighbour, ben: Neighbour) {
  await ada.opensVote();
  await ada.casts(ada.m.yes());
  await ben.goesTo('today');
  await ben.screen.press('link', ben.m.vote_now());
  await ben.casts(ben.m.no());
  await ada.screen.press('link', IDEA);
  await ada.screen.read(ada.m.cast_so_far({ cast: 2, of: 2 }));
  await ada.closesVote();
  await ben.screen.press('link', ben.m.see_result());
  const result = await ada.result();
  expect(result.words).toHaveLength(6);
  expect(result.digits).not.toBe('');
  expect(result.bars).toEqual([`${ada.m.yes()} 1`, `${ada.m.no()} 1`, `${ada.m.abstain()} 0`]);
  const theirs = await ben.result();
  expect(theirs.bars).toEqual([`${ben.m.yes()} 1`, `${ben.m.no()} 1`, `${ben.m.abstain()} 0`]);
  expect(theirs.words).toEqual(result.words);
  expect(theirs.digits).toBe(result.digits);
}

async function task(ada: Neighbour, ben: Neighbour) {
  await ada.opensIdea(IDEA);
  await ada.addsTask(TASK);
  await ben.opensIdea(IDEA);
  await ben.screen.press('checkbox', TASK);
  await ada.screen.read(ada.m.tasks_done_of({ done: 1, of: 1 }));
}

async function apartAndRestarted(street: Street, kinds: readonly [Kind, Kind], homes: Parameters<typeof street.open>[1][] | readonly [ReturnType<Street['home']>, ReturnType<Street['home']>], [ada, ben]: [Neighbour, Neighbour]) {
  await street.close(ada.screen);
  // Ben writes while Ada's Kiez is closed.
  await ben.writesAlong();
  await ben.standsAtEnd();
  await ben.screen.write(' Ben bringt Kuchen.');
  await ben.allKept();
  await street.close(ben.screen);

  const adaAgain = new Neighbour('Ada', await street.open(kinds[0], homes[0] as ReturnType<Street['home']>));
  await adaAgain.screen.speak('de');
  await adaAgain.unlocks();
  await adaAgain.opensIdea(IDEA);
  await adaAgain.writesAlong();
  await adaAgain.standsBefore('Die Bank');
  await adaAgain.screen.write('Ada streicht sie grün. ');
  await adaAgain.allKept();

  const benAgain = new Neighbour('Ben', await street.open(kinds[1], homes[1] as ReturnType<Street['home']>));
  await benAgain.screen.speak('en');
  await benAgain.unlocks();
  await benAgain.opensIdea(IDEA);
  await benAgain.writesAlong();
  await reads('Endlich steht fest: Hurra! Ada streicht sie grün. Die Bank steht ab morgen früh unter der Linde. Ben bringt Kuchen.', adaAgain, benAgain);
}

describe('the story of two neighbours', () => {
  it('in two windows', inAStreet((street) => story(street, 'window', 'window')));
  it('in two browsers', inAStreet((street) => story(street, 'chromium', 'chromium')));
  it('in a window and a browser', inAStreet((street) => story(street, 'window', 'chromium')));
});
