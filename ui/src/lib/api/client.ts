import { type Backend, type CopyProgress, type Link, recovering } from './backend';
import { asKiezError } from './error';
import { drawOnce } from './once';
import type {
  Action, Added, CharterCard, Connections, Council, DeviceCard, DeviceOffer, DeviceText, Door, Hit, IdeaCard, IdeaPage, Invitation, InvitationInfo, Joined,
  Language, MovedIn, News, Own, PersonCard, Place, PollCard, PollMethod, PollPage, Query, Role, Splice, TaskCard, TaskState, Template, Text, TextField, Today,
  Version, Wish,
} from './types';

/** The one client: a method a question, a method an action. The pages know nothing of what lies behind. */
export class Client {
  readonly #backend: Backend;
  constructor(backend: Backend) {
    this.#backend = backend;
  }

  async #ask<T>(query: Query): Promise<T> {
    try {
      return (await this.#backend.ask(query)) as T;
    } catch (error) {
      throw asKiezError(error);
    }
  }
  async #act<T>(action: Action): Promise<T> {
    try {
      return (await this.#backend.act(action)) as T;
    } catch (error) {
      throw asKiezError(error);
    }
  }

  listen(news: (event: News) => void, link: (state: Link) => void) {
    return this.#backend.listen(news, link);
  }

  door = () => this.#ask<Door>({ ask: 'door' });
  today = (group: string) => this.#ask<Today>({ ask: 'today', group });
  ideas = (group: string) => this.#ask<IdeaCard[]>({ ask: 'ideas', group });
  idea = (group: string, id: string) => this.#ask<IdeaPage>({ ask: 'idea', group, id });
  history = (group: string, id: string) => this.#ask<Version[]>({ ask: 'history', group, id });
  decisions = (group: string) => this.#ask<PollCard[]>({ ask: 'decisions', group });
  poll = (group: string, id: string) => this.#ask<PollPage>({ ask: 'poll', group, id });
  tasks = (group: string) => this.#ask<TaskCard[]>({ ask: 'tasks', group });
  people = (group: string) => this.#ask<PersonCard[]>({ ask: 'people', group });
  council = (group: string) => this.#ask<Council>({ ask: 'council', group });
  templates = () => this.#ask<CharterCard[]>({ ask: 'templates' });
  devices = () => this.#ask<DeviceCard[]>({ ask: 'devices' });
  connections = (group: string) => this.#ask<Connections>({ ask: 'connections', group });
  search = (group: string, text: string) => this.#ask<Hit[]>({ ask: 'search', group, text });
  words = (passphrase: string) => this.#ask<string[]>({ ask: 'words', passphrase });
  invitation = (text: string) => this.#ask<InvitationInfo>({ ask: 'invitation', text });

  profileNew = (name: string, passphrase: string) => this.#act<null>({ act: 'profile-new', name, passphrase });
  unlock = (passphrase: string) => this.#act<null>({ act: 'unlock', passphrase });
  lock = () => this.#act<null>({ act: 'lock' });
  restore = (words: string, name: string, passphrase: string) => this.#act<null>({ act: 'restore', words, name, passphrase });
  found = (name: string, purpose: string, template: Template) => this.#act<Added>({ act: 'found', name, purpose, template });
  propose = (group: string, wish: Wish, reason: string) => this.#act<Added>({ act: 'propose', group, wish, reason });
  sign = (group: string, motion: string) => this.#act<Added>({ act: 'sign', group, motion });
  vouch = (group: string, ask: string) => this.#act<Added>({ act: 'vouch', group, ask });
  withdraw = (group: string, invitation: string) => this.#act<Added>({ act: 'withdraw', group, invitation });
  eraseOwn = (group: string, own: Own, passphrase: string) => this.#act<Added>({ act: 'erase-own', group, own, passphrase });
  leave = (group: string) => this.#act<Added>({ act: 'leave', group });
  deviceRetire = (device: string) => this.#act<null>({ act: 'device-retire', device });
  example = (language: Language) => this.#act<Added>({ act: 'example', language });
  exampleEnd = () => this.#act<null>({ act: 'example-end' });
  join = (invitation: string) => this.#act<Joined>({ act: 'join', invitation });
  joinStop = () => this.#act<null>({ act: 'join-stop' });
  invite = (group: string, role: Role) => this.#act<Invitation>({ act: 'invite', group, role });
  ideaAdd = (group: string, title: string, body: string, cost: number | null, place: Place | null) =>
    this.#act<Added>({ act: 'idea-add', group, title, body, cost, place });
  /** `once`: who sends the same again after an answer was lost names the same; it is done once. */
  ideaText = (group: string, id: string, field: TextField, heads: string, splices: Splice[], once = drawOnce()) =>
    this.#act<Text>({ act: 'idea-text', group, id, field, heads, splices, once });
  ideaCost = (group: string, id: string, cost: number | null) => this.#act<null>({ act: 'idea-cost', group, id, cost });
  ideaPlace = (group: string, id: string, place: Place | null) => this.#act<null>({ act: 'idea-place', group, id, place });
  comment = (group: string, id: string, text: string) => this.#act<Added>({ act: 'comment', group, id, text });
  pollOpen = (group: string, idea: string, method: PollMethod, options: string[]) =>
    this.#act<Added>({ act: 'poll-open', group, idea, method, options });
  cast = (group: string, poll: string, answers: string[]) => this.#act<null>({ act: 'cast', group, poll, answers });
  pollClose = (group: string, poll: string) => this.#act<null>({ act: 'poll-close', group, poll });
  taskAdd = (group: string, title: string, idea: string | null, assignees: string[], due: string | null) =>
    this.#act<Added>({ act: 'task-add', group, title, idea, assignees, due });
  taskTake = (group: string, id: string) => this.#act<null>({ act: 'task-take', group, id });
  taskState = (group: string, id: string, state: TaskState) => this.#act<null>({ act: 'task-state', group, id, state });
  seen = (group: string) => this.#act<null>({ act: 'seen', group });
  wordsNoted = () => this.#act<null>({ act: 'words-noted' });
  passphrase = (old: string, fresh: string) => this.#act<null>({ act: 'passphrase', old, new: fresh });
  name = (name: string) => this.#act<null>({ act: 'name', name });
  look = () => this.#act<null>({ act: 'look' });
  /** I am here: I typed or pointed. */
  active = () => this.#act<null>({ act: 'active' });
  lockAfter = (minutes: number | null) => this.#act<null>({ act: 'lock-after', minutes });
  erase = () => this.#act<null>({ act: 'erase' });
  deviceOffer = () => this.#ask<DeviceOffer>({ ask: 'device-offer' });
  deviceAdd = (passphrase: string) => this.#act<DeviceText>({ act: 'device-offer', passphrase });
  deviceDecide = (agrees: boolean) => this.#act<null>({ act: 'device-decide', agrees });
  deviceWithdraw = () => this.#act<null>({ act: 'device-withdraw' });
  deviceJoin = (text: string, passphrase: string) => this.#act<MovedIn>({ act: 'device-join', text, passphrase });

  async backup(passphrase: string) {
    try {
      return await this.#backend.backup(passphrase);
    } catch (error) {
      throw asKiezError(error);
    }
  }
  async recover(backup: Blob, passphrase: string) {
    try {
      await this.#backend.recover(recovering(backup, passphrase));
    } catch (error) {
      throw asKiezError(error);
    }
  }

  /** Can the copying of a group be stopped once it was begun? */
  get stops() {
    return this.#backend.stops;
  }
  async copyOut(group: string, progress: CopyProgress, stop: AbortSignal) {
    try {
      return await this.#backend.copyOut(group, progress, stop);
    } catch (error) {
      throw asKiezError(error);
    }
  }
  async copyIn(file: Blob, progress: CopyProgress, stop: AbortSignal) {
    try {
      await this.#backend.copyIn(file, progress, stop);
    } catch (error) {
      throw asKiezError(error);
    }
  }
}
