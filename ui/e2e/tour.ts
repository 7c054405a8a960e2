import { writeFileSync } from 'node:fs';
import type { Home } from './program';
import type { Neighbour } from './neighbour';
import { projects } from './zawodzie';

/** Called in each place, once it is drawn. */
export type Stop = (place: string) => Promise<void>;

const NAMES = projects().map((project) => project.name);
const [WITH_VOTE = '', WITH_TASK = '', DECIDED = ''] = NAMES;
const SONNE = 'Sonnensegel über dem Spielplatz';

/** Leads somebody who has no profile yet through every place, first in the example neighbourhood with a guest, then in a group of their own. */
export async function tour(who: Neighbour, guest: Home, stop: Stop): Promise<void> {
  const at = async (place: string) => {
    await who.screen.settled();
    await stop(place);
  };
  await welcome(who, at);
  await furnish(who, guest, at);
  await ideas(who, at);
  await decisions(who, at);
  await tasks(who, at);
  await council(who, at);
  await settings(who, at);
  await begin(who, at);
}

async function welcome({ screen, m }: Neighbour, at: Stop) {
  await screen.see('heading', m.welcome_head());
  await at('welcome');
  await screen.press('button', m.enter_words());
  await at('welcome-restore');
  await screen.press('button', m.cancel());
  await screen.press('button', m.example_look());
  await screen.see('heading', 'Zawodzie');
}

/** Adds to the example what it does not hold, so that no place is poor: a guest who takes part, a decision, a task done, a text rewritten. */
async function furnish(who: Neighbour, guest: Home, at: Stop) {
  const { screen, m } = who;
  await who.opensIdea(DECIDED);
  await screen.press('summary', m.open_vote());
  await screen.press('radio', m.method_approval());
  await screen.type(m.option_n({ n: 1 }), 'Mit Bänken');
  await screen.type(m.option_n({ n: 2 }), 'Ohne Bänke');
  await screen.press('button', m.open_vote());
  await screen.press('checkbox', { pattern: '^Mit Bänken' });
  await screen.press('button', m.cast_ballot());
  await screen.see('heading', m.place_decisions());

  const invitation = await who.invites();
  await at('invitation');
  await visits(guest, invitation);
  await screen.press('link', m.place_today(), m.you_are());
  await screen.read(SONNE);
  await at('today-digits');
  await who.compared();

  await who.goesTo('decisions');
  await screen.press('link', DECIDED);
  await who.closesVote();
}

/** The guest joins on the command line, and does what neighbours do. */
async function visits(home: Home, invitation: string) {
  const kiez = (...args: string[]) => home.command('a guest', ...args);
  await kiez('profile', 'new', 'Ben');
  await kiez('join', invitation);
  const list = (await kiez('idea', 'list')) as { id: string; title: string }[];
  const id = (title: string) => list.find((idea) => idea.title === title)?.id ?? '';
  await kiez('idea', 'comment', id(WITH_VOTE), 'Der Brennofen ist auch noch da.');
  const body = `${home.folder}/body.txt`;
  writeFileSync(body, 'Im Sommer wird der Sand zu heiß.');
  await kiez('idea', 'add', SONNE, '--body', body, '--cost', '1200', '--place', '50.2599,19.0389');
  // So that there are earlier versions: this one, and the one before.
  writeFileSync(body, 'Neue Bücher und Regale, auch auf Polnisch.');
  await kiez('idea', 'edit', id(WITH_TASK), '--body', body);
  await kiez('sync', '--until-idle');
}

async function ideas(who: Neighbour, at: Stop) {
  const { screen, m } = who;
  await who.goesTo('today');
  await screen.see('heading', 'Zawodzie');
  await at('today');
  await who.goesTo('ideas');
  await at('ideas');
  await screen.type(m.search_ideas(), 'biblioteki', 'searchbox');
  await screen.see('heading', m.ideas_count({ count: 1 }));
  await at('ideas-found');
  await screen.type(m.search_ideas(), 'Schwimmbad', 'searchbox');
  await screen.read(m.no_idea_about({ words: 'Schwimmbad' }));
  await at('ideas-none-found');
  await screen.type(m.search_ideas(), '', 'searchbox');
  await screen.press('link', m.write_idea());
  await screen.see('heading', m.write_idea());
  await at('idea-new');
  await who.opensIdea(WITH_VOTE);
  await at('idea');
  await who.opensIdea(WITH_TASK);
  await screen.press('button', m.change_facts());
  await who.writesAlong();
  await who.standsAtEnd();
  // What the guest wrote is partly taken away again.
  for (let letter = 0; letter < 'Polnisch.'.length; letter += 1) await screen.key('Backspace');
  await screen.write('Ukrainisch.', 0);
  await who.allKept();
  await screen.press('summary', m.task_add());
  await at('idea-writing');
  await screen.press('button', m.writing_done());
  await screen.press('link', m.versions());
  await screen.see('heading', m.versions());
  await at('versions');
}

async function decisions(who: Neighbour, at: Stop) {
  const { screen, m } = who;
  await who.goesTo('decisions');
  await at('decisions');
  await screen.press('link', m.vote_now());
  await screen.press('radio', { pattern: `^${m.yes()}` });
  await screen.press('summary', m.close_vote());
  await at('decision-cast');
  await screen.go('#/decisions');
  await screen.press('link', m.see_result());
  await screen.see('heading', m.compare_aloud());
  await at('decision-result');
}

async function tasks(who: Neighbour, at: Stop) {
  const { screen, m } = who;
  await screen.go('#/tasks');
  await screen.see('heading', m.place_tasks());
  await at('tasks');
  await screen.press('button', m.task_add_head());
  await screen.type(m.task_what(), 'Sonnensegel ausmessen');
  await screen.press('button', m.task_add());
  await at('task-new');
  await screen.press('link', m.tasks_all());
  await screen.press('checkbox', 'Sonnensegel ausmessen');
  await screen.see('heading', m.tasks_done());
  await at('tasks-all');
  await screen.press('link', m.tasks_by_idea());
  await screen.see('heading', m.tasks_without_idea());
  await at('tasks-by-idea');
}

/** What a group decides about itself: something hidden, a second steward, a removal that waits for her, the rules. */
async function council(who: Neighbour, at: Stop) {
  const { screen, m } = who;
  await who.opensIdea(SONNE);
  await screen.press('summary', m.hide_propose());
  await screen.type(m.propose_reason(), 'Der Spielplatz gehört jemand anderem.');
  await at('idea-hiding');
  await screen.press('button', m.propose_at_once());
  await screen.see('button', m.hidden_open());
  await at('idea-hidden');
  await who.goesTo('people');
  await screen.read(m.people_count({ count: 2 }));
  await at('people');
  await who.opensPerson('Ben');
  await screen.press('summary', m.do_steward());
  await screen.press('button', m.propose_at_once());
  await screen.see('summary', m.do_no_steward());
  await screen.press('summary', m.do_remove());
  await screen.type(m.propose_reason(), 'Er hat unsere Adressen weitergegeben.');
  await at('person-removing');
  await screen.press('button', m.propose());
  await screen.read(m.missing_stewards({ count: 1 }));
  await at('person');
  await screen.go('#/people/motions');
  await screen.see('heading', m.motions_carried());
  await at('motions');
  await screen.press('link', m.our_rules());
  await screen.press('summary', m.rule_change(), m.rule_fund_none());
  await screen.press('checkbox', m.rule_fund_is());
  await at('rules');
}

async function settings(who: Neighbour, at: Stop) {
  const { screen, m } = who;
  await who.goesTo('settings');
  await screen.see('heading', m.who_has_what_of_yours());
  await at('settings');
  await screen.press('button', m.show_words());
  await screen.see('dialog', m.recovery_words());
  await at('words-asked');
  await screen.key('Escape');
  await screen.gone('dialog');
  await screen.go('#/more');
  await screen.see('heading', m.place_more());
  await at('more');
  await screen.press('button', m.example_leave());
  await screen.see('heading', m.welcome_head());
}

/** A group of one's own in which there is nothing yet. */
async function begin(who: Neighbour, at: Stop) {
  const { screen, m } = who;
  await screen.go('#/today');
  await who.makesProfile();
  await at('begin');
  await screen.press('button', m.found_now());
  await at('begin-founding');
  await screen.type(m.group_name(), 'Rawa-Ufer');
  await screen.press('button', m.found_now());
  await screen.see('heading', 'Rawa-Ufer');
  await at('today-empty');
  for (const place of ['ideas', 'decisions', 'tasks', 'people'] as const) {
    await who.goesTo(place);
    await at(`${place}-empty`);
  }
  await who.goesTo('settings');
  await at('settings-alone');
  await screen.press('button', m.show_words());
  await screen.type(m.passphrase(), who.passphrase, 'password');
  await screen.key('Enter');
  await screen.see('button', m.words_noted());
  await at('words');
  await screen.press('button', m.words_noted());
  await screen.press('button', m.lock_now());
  await screen.see('button', m.open_kiez());
  // Whoever comes by sees nothing of what was here.
  await screen.gone('button', m.close());
  await at('locked');
}
