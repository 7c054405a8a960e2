import type { Home } from './program';
import type { Kind, Screen } from './screen';
import type { Street } from './street';
import { LIMIT, until } from './until';
import type { Language } from './words';

/** Kiez looks for another device for so long. */
const MEETING = 2 * LIMIT;

/** What a neighbour does with Kiez, step by step as the page leads. */
export class Neighbour {
  readonly name: string;
  readonly passphrase: string;
  readonly home: Home;
  readonly #street: Street;
  readonly #kind: Kind;
  readonly #language: Language;
  #screen: Screen | null = null;

  constructor(name: string, language: Language, kind: Kind, street: Street) {
    this.name = name;
    this.passphrase = `${name} und vier kleine Katzen`;
    this.home = street.home(name);
    this.#street = street;
    this.#kind = kind;
    this.#language = language;
  }
  get screen(): Screen {
    if (!this.#screen) throw new Error(`${this.name} has Kiez closed.`);
    return this.#screen;
  }
  get m() {
    return this.screen.m;
  }

  async opensKiez(): Promise<void> {
    this.#screen = await this.#street.open(this.#kind, this.home, this.#language);
    await this.screen.speak(this.#language);
  }
  async closesKiez(): Promise<void> {
    await this.#street.close(this.screen);
    this.#screen = null;
  }

  /** Light or dark: as the system says, or chosen in the page where the system cannot be made to say it. Before there is a profile. */
  async wears(look: 'light' | 'dark'): Promise<void> {
    const { screen, m } = this;
    if (await screen.engine.prefer(look)) return;
    await screen.press('button', m.example_look());
    await this.goesTo('settings');
    await screen.press('radio', look === 'light' ? m.look_light() : m.look_dark());
    await screen.press('button', m.example_leave());
    await screen.see('heading', m.welcome_head());
    await screen.go('#/today');
  }

  async makesProfile(): Promise<void> {
    const { screen, m } = this;
    await screen.type(m.your_name(), this.name);
    await screen.type(m.passphrase_choose(), this.passphrase, 'password');
    await screen.press('button', m.go_on());
    await screen.see('heading', m.how_to_begin());
  }
  async unlocks(): Promise<void> {
    const { screen, m } = this;
    await screen.type(m.passphrase(), this.passphrase, 'password');
    await screen.press('button', m.open_kiez());
    await screen.see('navigation', m.places());
  }
  async founds(group: string): Promise<void> {
    const { screen, m } = this;
    await screen.press('button', m.found_now());
    await screen.type(m.group_name(), group);
    await screen.press('button', m.found_now());
    await screen.see('heading', group);
  }
  async goesTo(place: 'today' | 'ideas' | 'decisions' | 'tasks' | 'people' | 'settings'): Promise<void> {
    const { screen, m } = this;
    const words = { today: m.place_today(), ideas: m.place_ideas(), decisions: m.place_decisions(), tasks: m.place_tasks(), people: m.place_people(), settings: m.place_settings() };
    await screen.press('link', words[place], m.you_are());
    if (place !== 'today') await screen.see('heading', words[place]);
  }

  async writesIdea(title: string, body: string, cost: string): Promise<void> {
    const { screen, m } = this;
    await this.goesTo('ideas');
    await screen.press('link', m.write_idea());
    await screen.type(m.idea_title(), title);
    await screen.type(m.idea_body(), body);
    await screen.type(m.idea_cost(), cost);
    await screen.press('button', m.idea_add());
    await screen.see('heading', m.what_it_is());
  }
  async opensIdea(title: string): Promise<void> {
    await this.goesTo('ideas');
    await this.screen.press('link', title);
    await this.screen.see('heading', this.m.what_it_is());
  }

  /** Answers the invitation, read off the screen. */
  async invites(): Promise<string> {
    const { screen, m } = this;
    await this.goesTo('people');
    await screen.press('button', m.invite_somebody());
    await screen.press('summary', m.invitation_show_text());
    const [invitation] = await screen.read(/kiez1[0-9a-z]{50,}/);
    return invitation;
  }
  async joins(invitation: string, group: string): Promise<void> {
    const { screen, m } = this;
    await screen.paste(m.invitation(), invitation);
    await screen.read(m.invitation_good());
    await screen.press('button', m.join());
    await screen.see('heading', group, undefined, MEETING);
  }
  /** The six digits that both screens show. */
  async digits(): Promise<string> {
    return (await this.screen.read(/\b\d{3}\s\d{3}\b/))[0].replace(/\s/, ' ');
  }
  async compared(): Promise<void> {
    const { screen, m } = this;
    await screen.press('button', m.code_same());
    await screen.gone('button', m.code_same());
  }

  /** Goes to somebody's page, once they are there. */
  async opensPerson(name: string): Promise<void> {
    await this.goesTo('people');
    await this.screen.press('link', name);
    await this.screen.see('heading', name);
  }

  async writesAlong(): Promise<void> {
    const { screen, m } = this;
    await screen.press('button', m.write_along());
    await screen.see('textbox', m.text_label());
  }
  /** The text as it stands in the field. */
  async text(): Promise<string> {
    return (await this.screen.see('textbox', this.m.text_label())).value;
  }
  /** Puts the caret before those words of the text. */
  async standsBefore(words: string): Promise<void> {
    const { screen, m } = this;
    await screen.press('textbox', m.text_label());
    await screen.key('Control', 'Home');
    const steps = (await this.text()).indexOf(words);
    if (steps < 0) throw new Error(`The text does not hold “${words}”.`);
    for (let step = 0; step < steps; step += 1) await screen.key('ArrowRight');
  }
  async standsAtEnd(): Promise<void> {
    await this.screen.press('textbox', this.m.text_label());
    await this.screen.key('Control', 'End');
  }

  /** Waits until all that was written is kept, as the page says it. */
  async allKept(): Promise<void> {
    await until('all is kept', async () => !(await this.screen.text()).includes(this.m.text_keeping()));
  }

  async opensVote(): Promise<void> {
    const { screen, m } = this;
    await screen.press('summary', m.open_vote());
    await screen.press('radio', m.method_yes_no());
    await screen.press('button', m.open_vote());
    await screen.see('button', m.cast_ballot());
  }
  async casts(option: string): Promise<void> {
    const { screen, m } = this;
    await screen.press('radio', { pattern: `^${option}` });
    await screen.press('button', m.cast_ballot());
    await screen.see('heading', m.place_decisions());
  }
  async closesVote(): Promise<void> {
    const { screen, m } = this;
    await screen.press('summary', m.close_vote());
    await screen.press('button', m.close_vote_now());
    await screen.see('heading', m.so_many());
  }
  /** The result as it is shown: the bars, the six words, the digits. */
  async result(): Promise<{ bars: string[]; words: string[]; digits: string }> {
    const { screen, m } = this;
    const bars = await screen.items(m.so_many());
    const words = await screen.items(m.compare_aloud());
    const digits = (await screen.read(new RegExp(`${m.same_in_digits()}\\s+([\\d ]+)`, 'u')))[1] ?? '';
    return { bars, words, digits: digits.trim() };
  }

  async addsTask(title: string): Promise<void> {
    const { screen, m } = this;
    await screen.press('summary', m.task_add());
    await screen.type(m.task_what(), title);
    await screen.press('button', m.task_add());
    await screen.see('checkbox', title);
  }
}
