/** A neighbourhood after a year, for looking at speed: 200 people, 300 ideas, 60 votes, 2,000 tasks. The same at every look. */
import type { IdeaState } from '../types';
import { type Ballot, DAY, type Human, type Job, type Said, type Seed, type Sketch, small } from './example';

/** Numbers that look drawn, and are the same every time. */
function drawn(seed: number) {
  let state = seed;
  return (below: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}
const pick = <T>(of: readonly T[], n: number): T => of[n % of.length] as T;

const first = ['Anna', 'Ben', 'Oksana', 'Marek', 'Zofia', 'Jan', 'Samir', 'Danuta', 'Irena', 'Piotr', 'Ewa', 'Tomasz', 'Lena', 'Yusuf', 'Halina', 'Oleh', 'Marta', 'Karol', 'Nina', 'Adam'];
const last = ['Kowal', 'Wrona', 'Malik', 'Pyka', 'Adamek', 'Haddad', 'Kurek', 'Tkachuk', 'Nowicki', 'Zając'];
const what = ['Neue Bänke', 'Ein Garten', 'Mehr Licht', 'Ein Zebrastreifen', 'Bücher', 'Ein Spielplatz', 'Fahrradständer', 'Ein Dach', 'Bäume', 'Ein Brunnen', 'Eine Werkstatt', 'Ein Kurs', 'Ein Fest', 'Neue Fenster', 'Ein Tauschregal'];
const where = ['vor der Post', 'am Ufer der Rawa', 'in der Schule am Stern', 'im Jugendhaus', 'hinter der Bücherei', 'in der Marcinkowskiego-Straße', 'am Bahnhof Zawodzie', 'im Hof der Genossenschaft', 'beim Gesundheitszentrum', 'an der Haltestelle'];
const said = [
  'Das fehlt hier seit Jahren, und es trifft vor allem die, die nicht gut zu Fuß sind.', 'Die Stadt hat im Frühjahr zugesagt, sich zu beteiligen.', 'Wir haben gemessen, gefragt und drei Angebote geholt.',
  'Wer mithelfen will, meldet sich bei uns oder kommt am Samstag in den Keller.', 'Im Winter steht dort das Wasser, und abends ist es dunkel.', 'Bitte denkt auch an die Kinder, die den Weg allein gehen.', 'Das kostet weniger, als man denkt.',
];
const deeds = ['Angebot einholen', 'Mit der Hausverwaltung reden', 'Aushang schreiben', 'Schlüssel holen', 'Maße nehmen', 'Antrag abgeben', 'Farbe kaufen', 'Helfer suchen', 'Fotos machen', 'Rechnung prüfen', 'Termin finden', 'Genehmigung besorgen'];
const states: IdeaState[] = ['idea', 'vote', 'decided', 'doing', 'done'];
const categories = ['Wege', 'Schule', 'Bücher', 'Garten', 'Kunst', 'Sport', 'Verkehr', 'Wohnen'];
const targets = ['Kinder', 'Jugendliche', 'Ältere', 'alle', 'Familien'];

const sentences = (draw: (below: number) => number, count: number) => Array.from({ length: count }, () => pick(said, draw(said.length))).join(' ');

export function year(): Seed {
  const draw = drawn(20_26);
  const people: Human[] = [...small.people];
  for (let n = people.length; n < 200; n += 1) {
    const behind = draw(4) === 0 ? 0 : draw(5) === 0 ? null : draw(90) * 3_600_000 + 60_000;
    people.push({ id: `p${n}`, name: `${pick(first, n)} ${pick(last, draw(10))}`, role: draw(20) === 0 ? 'observer' : 'member', devices: 1 + draw(2), behind, contact: draw(12) === 0 ? 'even' : null, near: n % 40 === 0 });
  }
  const somebody = () => pick(people, draw(people.length)).id;
  const ideas: Sketch[] = [...small.ideas];
  for (let n = ideas.length; n < 300; n += 1) {
    const comments: Said[] = Array.from({ length: n === 20 ? 200 : draw(24) }, (_, k) => ({ id: `y${n}c${k}`, by: somebody(), text: sentences(draw, 1 + draw(3)), ago: draw(300) * DAY, new: draw(40) === 0 }));
    ideas.push({
      id: `y${n}`, plate: n + 1, by: somebody(), ago: (n % 365) * DAY, state: pick(states, draw(5)), cost: draw(4) === 0 ? null : (1 + draw(2_500)) * 100, place: { lat: 50.25 + draw(900) / 60_000, lon: 19.03 + draw(900) / 25_000 },
      categories: [pick(categories, draw(8))], targets: [pick(targets, draw(5))], title: `${pick(what, draw(15))} ${pick(where, draw(10))}`, body: Array.from({ length: 4 }, () => sentences(draw, 5)).join('\n\n'), comments, unread: draw(30) === 0,
    });
  }
  const polls: Ballot[] = [...small.polls];
  for (let n = polls.length; n < 60; n += 1) {
    const idea = pick(ideas, draw(ideas.length));
    const votes: Ballot['votes'] = {};
    for (let k = 0; k < 60; k += 1) votes[somebody()] = [pick(['yes', 'yes', 'no', 'abstain'], draw(4))];
    polls.push({ id: `v${n}`, idea: idea.id, question: `Sollen wir „${idea.title}“ machen?`, method: 'yes-no', options: ['yes', 'no', 'abstain'], by: somebody(), ago: n * 5 * DAY, open: n < 10, votes });
  }
  const tasks: Job[] = [...small.tasks];
  for (let n = tasks.length; n < 2_000; n += 1) {
    const idea = pick(ideas, draw(ideas.length));
    tasks.push({ id: `z${n}`, title: `${pick(deeds, draw(12))}: ${idea.title}`, idea: draw(8) === 0 ? null : idea.id, who: draw(6) === 0 ? [] : draw(15) === 0 ? ['b1'] : [somebody()], due: draw(3) === 0 ? null : draw(400) - 200, state: draw(2) === 0 ? 'done' : 'open' });
  }
  return { ...small, people, ideas, polls, tasks };
}
