import { describe, expect, it } from 'vitest';
import { Neighbour } from './neighbour';
import type { Kind } from './screen';
import { inAStreet, type Street } from './street';
import { until } from './until';
import { FILE, type Project, projects } from './zawodzie';

/** A word of each title that no other title has. */
function distinct(): (Project & { word: string })[] {
  const all = projects();
  const words = (text: string) => text.split(/[^\p{L}]+/u).filter((word) => word.length > 5);
  return all.map((project) => {
    const others = all.filter((other) => other !== project).map((other) => other.name.toLowerCase());
    const word = words(project.name).find((one) => others.every((other) => !other.includes(one.toLowerCase())));
    if (word === undefined) throw new Error(`No word of its own: ${project.name}`);
    return { ...project, word };
  });
}

/** Taken in on the command line; then to be seen, and found. */
async function zawodzie(street: Street, kind: Kind) {
  const all = distinct();
  expect(all).toHaveLength(8);
  const ada = new Neighbour('Ada', 'de', kind, street);
  await ada.home.command(ada.passphrase, 'profile', 'new', 'Ada');
  await ada.home.command(ada.passphrase, 'group', 'found', 'Zawodzie');
  await ada.home.command(ada.passphrase, 'import-pabulib', FILE);
  await ada.opensKiez();
  await ada.unlocks();
  await ada.goesTo('ideas');
  const { screen, m } = ada;
  await screen.see('heading', m.ideas_count({ count: 8 }));
  const costs = ({ name, cost }: Project) => until(`${name} costs ${cost}`, async () => (await costOf(ada, name)) === cost);
  for (const project of all) await costs(project);
  for (const project of all) {
    await screen.type(m.search_ideas(), project.word, 'searchbox');
    await screen.see('heading', m.ideas_count({ count: 1 }));
    await costs(project);
  }
}

/** The figure that ends the row of an idea in the list: what it costs. */
async function costOf({ screen }: Neighbour, title: string): Promise<number | undefined> {
  const rows = (await screen.look({ role: 'listitem' })).map((row) => row.text);
  const behind = rows.filter((row) => row.includes(title)).map((row) => row.slice(row.indexOf(title) + title.length));
  const [cost] = behind.flatMap((text) => /\d[\d ]*$/u.exec(text)?.[0] ?? []);
  return cost === undefined ? undefined : Number(cost.replaceAll(' ', ''));
}

describe('the eight projects of Zawodzie are listed and found, with their costs', () => {
  it('in the window', inAStreet((street) => zawodzie(street, 'window')));
  it('in Chromium', inAStreet((street) => zawodzie(street, 'chromium')));
});
