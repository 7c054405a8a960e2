import { describe, expect, it } from 'vitest';
import { onDisk } from './disk';
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
  const ada = new Neighbour('Ada', 'de', first, street);
  const ben = new Neighbour('Ben', 'en', second, street);
  await Promise.all([ada, ben].map(async (one) => {
    await one.opensKiez();
    await one.makesProfile();
  }));

  await ada.founds(GROUP);
  await ada.writesIdea(IDEA, BODY, '400');
  await ben.joins(await ada.invites(), GROUP);
  expect(await ben.digits()).toBe(await ada.digits());
  for (const one of [ada, ben]) await one.compared();

  const text = await together(ada, ben);
  const result = await vote(ada, ben);
  await task(ada, ben);
  await apart(ada, ben, text);
  for (const one of [ada, ben]) await allIsStillThere(one, result);
  if (first === 'window') await diskSaysNothing(ada);
}

/** What was read and written in a window stands in no file; what the page keeps does, and is found. */
async function diskSaysNothing(who: Neighbour) {
  await who.closesKiez();
  expect(onDisk(who.home, [GROUP, IDEA, TASK, 'unter der Linde', 'bringt Kuchen', who.passphrase])).toEqual([]);
  expect(onDisk(who.home, ['kiez-group'])).not.toEqual([]);
}

/** Both write in one paragraph at the same time. Answers what it reads in the end. */
async function together(ada: Neighbour, ben: Neighbour): Promise<string> {
  await Promise.all([ada, ben].map(async (one) => {
    await one.opensIdea(IDEA);
    await one.writesAlong();
  }));
  await Promise.all([ada.standsBefore('unter der Linde'), ben.standsBefore('Die Bank')]);
  // What Ben puts in before it arrives while Ada is writing, and must not get in between her letters.
  const [very] = await Promise.all([writesUntil(ada, 'sehr ', 'Endlich:'), ben.screen.write('Endlich: ')]);
  await ada.screen.write('fest ');
  await reads(`Endlich: Die Bank steht ${very}fest unter der Linde.`, ada, ben);
  // And the other way round. Ben's caret still stands behind what he wrote last.
  await ada.standsBefore('Endlich');
  const [soon] = await Promise.all([writesUntil(ben, 'bald ', 'Hört,'), ada.screen.write('Hört, ')]);
  await ben.screen.write('jetzt ');
  const text = `Hört, Endlich: ${soon}jetzt Die Bank steht ${very}fest unter der Linde.`;
  await reads(text, ada, ben);
  await Promise.all([ada, ben].map((one) => one.screen.press('button', one.m.writing_done())));
  return text;
}
/** Writes a word, and again, until the other one's words are there; answers what was written. */
async function writesUntil(who: Neighbour, word: string, theirs: string): Promise<string> {
  let written = '';
  await until(`“${theirs}” comes while ${who.name} writes`, async () => {
    await who.screen.write(word);
    written += word;
    return (await who.text()).includes(theirs);
  });
  return written;
}
async function reads(text: string, ...all: Neighbour[]) {
  const one = async (who: Neighbour) => {
    const now = await who.text();
    if (now !== text) throw new Error(now);
    return true;
  };
  await Promise.all(all.map((who) => until(`${who.name} reads: ${text}`, () => one(who))));
}

const bars = ({ m }: Neighbour) => [`${m.yes()} 1`, `${m.no()} 1`, `${m.abstain()} 0`];

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
  const [result, theirs] = await Promise.all([ada.result(), ben.result()]);
  expect(result).toEqual({ bars: bars(ada), words: theirs.words, digits: theirs.digits });
  expect(theirs.bars).toEqual(bars(ben));
  expect(result.words).toHaveLength(6);
  expect(result.digits).toMatch(/^[\d ]{8,}$/);
  return result;
}

async function task(ada: Neighbour, ben: Neighbour) {
  await ada.opensIdea(IDEA);
  await ada.addsTask(TASK);
  await ben.opensIdea(IDEA);
  await ben.screen.press('button', { pattern: `^${ben.m.task_take()}` }, TASK);
  await ada.screen.read(ada.m.task_doing());
  await ben.goesTo('today');
  await ben.screen.press('checkbox', TASK);
  await ada.screen.read(ada.m.tasks_done_of({ done: 1, of: 1 }));
}

/** One writes while the other one's Kiez is closed, and the other way round; then they meet again. */
async function apart(ada: Neighbour, ben: Neighbour, text: string) {
  await ada.closesKiez();
  await ben.opensIdea(IDEA);
  await ben.writesAlong();
  await ben.standsAtEnd();
  await ben.screen.write(' Ben bringt Kuchen.');
  // A window that is closed at once lets the page finish its sentence. A browser's page says so before it may be left.
  if (ben.screen.engine.kind === 'chromium') await ben.allKept();
  await ben.closesKiez();

  await ada.opensKiez();
  await ada.unlocks();
  await ada.opensIdea(IDEA);
  await ada.writesAlong();
  await ada.standsBefore('Die Bank');
  await ada.screen.write('Ada streicht sie. ');
  await ada.allKept();

  await ben.opensKiez();
  await ben.unlocks();
  await ben.opensIdea(IDEA);
  await ben.writesAlong();
  await reads(`${text.replace('Die Bank', 'Ada streicht sie. Die Bank')} Ben bringt Kuchen.`, ada, ben);
}

async function allIsStillThere(one: Neighbour, result: { words: string[]; digits: string }) {
  const { screen, m } = one;
  await one.goesTo('tasks');
  await screen.press('link', m.tasks_all());
  expect((await screen.see('checkbox', TASK)).checked).toBe(true);
  await one.goesTo('decisions');
  await screen.press('link', m.see_result());
  expect(await one.result()).toEqual({ ...result, bars: bars(one) });
  await one.goesTo('people');
  await screen.read(m.people_count({ count: 2 }));
}

describe('the story of two neighbours', () => {
  it('in two windows', inAStreet((street) => story(street, 'window', 'window')));
  it('in two browsers', inAStreet((street) => story(street, 'chromium', 'chromium')));
  it('in a window and a browser', inAStreet((street) => story(street, 'window', 'chromium')));
});
