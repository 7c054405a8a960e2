/** A small neighbourhood to look around in. Costs and projects are those of Zawodzie 2021; people are invented. */
import type { Governed } from './council';
import type { IdeaState, PollMethod, Role, TaskState } from '../types';

export const NOW = () => Date.now();
const HOUR = 3_600_000;
export const DAY = 24 * HOUR;

export interface Human { id: string; name: string; role: Role; devices: number; behind: number | null; contact: 'even' | 'busy' | 'lost' | null; near: boolean }
const humans: Human[] = [
  { id: 'b1', name: 'Barbara Nowak', role: 'steward', devices: 2, behind: 0, contact: null, near: false },
  { id: 'd1', name: 'Danuta Wrona', role: 'steward', devices: 1, behind: 0, contact: 'even', near: true },
  { id: 'f1', name: 'Zofia Malik', role: 'member', devices: 1, behind: 0, contact: 'even', near: true },
  { id: 'a1', name: 'Jan Kosmala', role: 'member', devices: 2, behind: 11 * HOUR, contact: 'busy', near: true },
  { id: 'a2', name: 'Marek Pyka', role: 'member', devices: 1, behind: 39 * HOUR, contact: 'lost', near: false },
  { id: 'a3', name: 'Ben Adamek', role: 'member', devices: 1, behind: 71 * HOUR, contact: null, near: false },
  { id: 'a4', name: 'Oksana Tkachuk', role: 'member', devices: 1, behind: 2 * HOUR, contact: null, near: false },
  { id: 'a5', name: 'سمير حداد', role: 'member', devices: 1, behind: null, contact: null, near: false },
  { id: 'a6', name: 'Anna Kurek', role: 'observer', devices: 1, behind: 5 * HOUR, contact: null, near: false },
];

export interface Said { id: string; by: string; text: string; ago: number; new?: boolean }
export interface Sketch {
  id: string; plate: number | null; plateWas?: number; by: string; ago: number; state: IdeaState; cost: number | null;
  place: { lat: number; lon: number } | null; categories: string[]; targets: string[]; title: string; body: string; comments: Said[]; unread?: boolean;
}
const sketches: Sketch[] = [
  {
    id: '03', plate: 3, by: 'f1', ago: 130 * DAY, state: 'doing', cost: 291350, place: { lat: 50.2603, lon: 19.0563 }, categories: ['Wege'], targets: ['Ältere', 'Kinder'],
    title: 'Die Rawa ist unsere Sache',
    body: 'Das Ufer der Rawa zwischen den Straßen Bohaterów Monte Cassino und Saint-Étienne ist kaputt. Die Platten sind lose, im Winter steht dort das Wasser, und abends ist es dunkel.\n\nWir wollen einen ebenen Weg, der breit genug ist für einen Rollstuhl und einen Kinderwagen nebeneinander. Dazu acht Bänke, sechs Lampen und Bäume, die Schatten geben.',
    comments: [
      { id: 'c1', by: 'a2', text: 'Ich bin 78. Ohne Bank schaffe ich den Weg bis zur Apotheke nicht. Bitte alle hundert Meter eine.', ago: 19 * DAY },
      { id: 'c2', by: 'b1', text: 'Steht jetzt im Text: acht Bänke auf 640 Metern, das ist alle 80 Meter eine.', ago: 19 * DAY - HOUR },
      { id: 'c3', by: 'a4', text: 'Чи буде там місце для дитячих колясок? Ми ходимо цим шляхом щодня.', ago: 15 * DAY },
      { id: 'c4', by: 'a5', text: 'أستطيع المساعدة في زراعة الأشجار يوم السبت.', ago: 6 * HOUR, new: true },
    ],
  },
  { id: '07', plate: 7, by: 'd1', ago: 120 * DAY, state: 'doing', cost: 14100, place: { lat: 50.2571, lon: 19.0491 }, categories: ['Schule'], targets: ['Jugendliche'], title: 'Ein Platz zum Lernen und Ausruhen', body: 'Auf dem Schulhof entsteht ein ruhiger Ort im Freien.', comments: [{ id: 'c5', by: 'a1', text: 'Bitte mit Dach, sonst ist der Platz im April leer.', ago: 30 * DAY }] },
  { id: '02', plate: 2, by: 'a1', ago: 118 * DAY, state: 'done', cost: 15000, place: { lat: 50.2588, lon: 19.0602 }, categories: ['Bücher'], targets: ['alle'], title: 'Neue Bücher für die Bücherei', body: 'Filiale 31 kauft neue Bücher, Regale und Leselampen.', comments: [] },
  { id: '05', plate: 5, by: 'a1', ago: 110 * DAY, state: 'decided', cost: 72000, place: { lat: 50.2577, lon: 19.0479 }, categories: ['Schule'], targets: ['Kinder'], title: 'Neue Böden in der Schule am Stern', body: 'In den Klassenzimmern von Schule Nr. 2 und Kita Nr. 6 kommen neue Böden, auch der Flur im ersten Stock.', comments: [] },
  { id: '06', plate: 6, by: 'a4', ago: 100 * DAY, state: 'vote', cost: 114000, place: { lat: 50.2601, lon: 19.0611 }, categories: ['Bücher', 'Schule'], targets: ['Kinder', 'Jugendliche'], title: 'Zawodzie liest', body: 'Die Schulbibliothek bekommt neue Bücher und Sitzecken.', comments: [{ id: 'c6', by: 'a4', text: 'Gibt es auch Bücher auf Ukrainisch?', ago: 2 * HOUR, new: true }], unread: true },
  { id: '04', plate: 4, by: 'a2', ago: 95 * DAY, state: 'vote', cost: 197500, place: { lat: 50.2580, lon: 19.0552 }, categories: ['Schule'], targets: ['Jugendliche'], title: 'Werkstatt für die Berufsschule', body: 'Die Berufsschule Nr. 1 bekommt einen modernen Raum zum Üben.', comments: [] },
  { id: '01', plate: 1, by: 'b1', ago: 90 * DAY, state: 'idea', cost: 132250, place: { lat: 50.2590, lon: 19.0621 }, categories: ['Kunst'], targets: ['alle'], title: 'Neue Kunstwerkstatt im Jugendhaus', body: 'Der Malraum im Jugendhaus wird renoviert und neu ausgestattet.', comments: [{ id: 'c7', by: 'f1', text: 'Der Brennofen steht noch im Keller.', ago: 3 * DAY }] },
  { id: '08', plate: 8, plateWas: 7, by: 'a3', ago: 3 * DAY, state: 'idea', cost: 234100, place: { lat: 50.2574, lon: 19.0618 }, categories: ['Garten'], targets: ['Kinder', 'Ältere'], title: 'Sonnenstrahl, ein Garten für die Sinne', body: 'Ein bunter Garten mit Spielen, Wegen und neuem Sportplatz.', comments: [] },
  { id: '09', plate: null, by: 'a3', ago: 5 * HOUR, state: 'idea', cost: null, place: null, categories: [], targets: [], title: 'Fahrradständer vor der Post', body: 'Zwölf Bügel, überdacht.', comments: [], unread: true },
];

export interface Ballot { id: string; idea: string; question: string; method: PollMethod; options: string[]; by: string; ago: number; open: boolean; votes: Record<string, string[]> }
const ballots: Ballot[] = [
  { id: 'e1', idea: '06', question: 'Sollen wir „Zawodzie liest“ aus dem Topf bezahlen?', method: 'yes-no', options: ['yes', 'no', 'abstain'], by: 'd1', ago: 26 * HOUR, open: true, votes: { d1: ['yes'], f1: ['yes'], a1: ['no'] } },
  { id: 'e2', idea: '04', question: 'Womit soll die Werkstatt anfangen?', method: 'approval', options: ['Werkbänke und Schraubstöcke', 'Eine Drehmaschine', 'Schweißplätze mit Absaugung', 'Ein Lager für Holz'], by: 'd1', ago: 50 * HOUR, open: true, votes: { b1: ['Werkbänke und Schraubstöcke', 'Ein Lager für Holz'], f1: ['Eine Drehmaschine'] } },
  { id: 'e3', idea: '03', question: 'Soll der Uferweg an der Rawa erneuert werden?', method: 'yes-no', options: ['yes', 'no', 'abstain'], by: 'd1', ago: 20 * DAY, open: false, votes: { b1: ['yes'], d1: ['yes'], f1: ['yes'], a1: ['yes'], a2: ['no'], a4: ['yes'], a3: ['abstain'] } },
  { id: 'e4', idea: '05', question: 'Welcher Belag für die Klassenzimmer?', method: 'approval', options: ['Linoleum', 'Kork', 'Parkett'], by: 'b1', ago: 12 * DAY, open: false, votes: { b1: ['Linoleum', 'Kork'], d1: ['Linoleum'], f1: ['Kork', 'Linoleum'], a1: ['Linoleum'], a2: ['Parkett'] } },
];

export interface Job { id: string; title: string; idea: string | null; who: string[]; due: number | null; state: TaskState }
const jobs: Job[] = [
  { id: 't1', title: 'Aushang ins Treppenhaus hängen', idea: '06', who: ['b1'], due: 0, state: 'open' },
  { id: 't2', title: 'Drei Angebote für Bänke einholen', idea: '03', who: ['b1', 'a1'], due: -2, state: 'doing' },
  { id: 't3', title: 'Lampen aussuchen, die Fledermäuse nicht stören', idea: '03', who: ['a3'], due: 5, state: 'open' },
  { id: 't4', title: 'Vertrag mit der Stadt unterschreiben', idea: '03', who: ['d1'], due: -30, state: 'done' },
  { id: 't5', title: 'Kellerschlüssel bei Marek Pyka holen', idea: null, who: ['b1'], due: 2, state: 'open' },
  { id: 't6', title: 'Sitzsäcke vergleichen', idea: '07', who: [], due: null, state: 'open' },
];

/** What a group holds when it is looked at first. */
export interface Seed { council?: Governed; name: string; purpose: string; people: Human[]; ideas: Sketch[]; polls: Ballot[]; tasks: Job[] }
export const small: Seed = { name: 'Zawodzie', purpose: 'Was wir zwischen Rawa und Bahn gemeinsam machen.', people: humans, ideas: sketches, polls: ballots, tasks: jobs };
export const alone: Seed = { name: 'Zawodzie', purpose: '', people: humans.slice(0, 1), ideas: [], polls: [], tasks: [] };

export const recovery = 'ribbon school tennis paper orbit lamp winter cousin bridge velvet apple quiz donkey hammer island jelly kettle lemon museum notice olive pencil quarter zone'.split(' ');
export const spoken = ['orchard', 'ladder', 'bread', 'canoe', 'cradle', 'otter'];
