/** One group in memory: what it holds, what it answers, what changes it. */
import { KiezError } from '../error';
import type {
  Action, CommentCard, Connections, GroupCard, HistoryItem, Hit, IdeaCard, IdeaPage, IdeaRef, NewsItem, Part, Person, PersonCard, PersonReach, PollCard,
  PollPage, Query, TaskCard, Text, Today, Version,
} from '../types';
import { diff } from '../../text/diff';
import { apply, fromSplices, type Ops, rebase } from '../../text/ops';
import { dateOf } from '../../words/format';
import { Governing, plain } from './council';
import { type Ballot, DAY, type Human, type Job, NOW, type Seed, type Sketch, spoken } from './example';

/** A text with all it was, so that splices against old heads find their place. */
class Grown {
  readonly all: string[];
  readonly by: string[];
  #changes: Ops[] = [];
  constructor(text: string, by: string) {
    this.all = [text];
    this.by = [by];
  }
  get now(): Text {
    return { text: this.all.at(-1) ?? '', heads: this.#changes.length.toString(16).padStart(8, '0') };
  }
  put(heads: string, ops: Ops, by: string): Text {
    const after = Number.parseInt(heads, 16);
    if (!(after <= this.#changes.length)) throw new KiezError('unknown-heads');
    let mine = ops;
    for (const later of this.#changes.slice(after)) mine = rebase(mine, later, false);
    this.all.push(apply(this.now.text, mine));
    this.by.push(by);
    this.#changes.push(mine);
    return this.now;
  }
}

type Idea = Omit<Sketch, 'title' | 'body'> & { title: Grown; body: Grown; changed: number; history: HistoryItem[] };
type Asked = Extract<Query, { group: string }>;
type Done = Extract<Action, { group: string }>;

export class Neighbourhood {
  readonly id: string;
  readonly #started = NOW();
  readonly #about: { name: string; purpose: string };
  readonly #people: Map<string, Human>;
  readonly #ideas = new Map<string, Idea>();
  readonly #done = new Set<string>();
  readonly #polls: Ballot[];
  readonly #jobs: Map<string, Job>;
  readonly #house: { me: string; name: string; wordsNoted: boolean; backedUp: number | null };
  readonly #news: boolean;
  readonly council: Governing;
  #seen = this.#started - DAY;
  #next = 100;

  constructor(id: string, seed: Seed, house: { me: string; name: string; wordsNoted: boolean; backedUp: number | null }) {
    this.id = id;
    this.#about = { name: seed.name, purpose: seed.purpose };
    this.#house = house;
    this.#news = seed.people.length > 1;
    this.#people = new Map(structuredClone(seed.people).map((human) => [human.id, human]));
    this.#polls = structuredClone(seed.polls);
    this.#jobs = new Map(structuredClone(seed.tasks).map((job) => [job.id, job]));
    for (const sketch of seed.ideas) this.grow(sketch);
    this.council = new Governing(seed.council ?? plain(seed.people), {
      people: this.#people, me: house.me, person: (id) => this.person(id), idea: (id) => this.#ref(id), id: () => this.#id(),
      left: (id) => {
        const i = this.#idea(id);
        return { entries: i.body.all.length + 1, left: 'same', differs: [], later: 0, reads: { title: i.title.now.text, body: i.body.now.text, cost: i.cost, place: i.place, categories: i.categories, targets: i.targets } };
      },
      comment: (id) => {
        const idea = [...this.#ideas.values()].find((one) => one.comments.some((said) => said.id === id));
        const text = idea?.comments.find((said) => said.id === id)?.text;
        return idea && text !== undefined ? { idea: idea.id, text } : null;
      },
    });
  }

  grow(sketch: Sketch) {
    const at = this.#started - sketch.ago;
    this.#ideas.set(sketch.id, {
      ...structuredClone(sketch), title: new Grown(sketch.title, sketch.by), body: new Grown(sketch.body, sketch.by), changed: at,
      history: [{ at, by: this.person(sketch.by), what: 'written', text: sketch.title }],
    });
  }
  welcome(human: Human) {
    this.#people.set(human.id, human);
  }
  /** Somebody writes into a text, at what it is now. */
  write(id: string, field: 'title' | 'body', write: (text: string) => string, by: string) {
    const grown = this.#idea(id)[field];
    grown.put(grown.now.heads, diff(grown.now.text, write(grown.now.text)), by);
  }
  say(id: string, by: string, text: string) {
    this.#idea(id).comments.push({ id: this.#id(), by, text, ago: this.#started - NOW(), new: true });
  }

  person(id: string): Person {
    const me = id === this.#house.me;
    const name = me ? this.#house.name : (this.#people.get(id)?.name ?? (this.council as Governing | undefined)?.name(id) ?? null);
    const initials = (name ?? '?').split(/\s+/).map((word) => Array.from(word)[0] ?? '').slice(0, 2).join('');
    return { id, name, initials, me };
  }
  get card(): GroupCard {
    return { id: this.id, ...this.#about, people: this.#people.size };
  }

  #idea(id: string): Idea {
    const idea = this.#ideas.get(id);
    if (!idea) throw new KiezError('not-found', id);
    return idea;
  }
  #poll(id: string): Ballot {
    const poll = this.#polls.find((p) => p.id === id);
    if (!poll) throw new KiezError('not-found', id);
    return poll;
  }
  #job(id: string): Job {
    const job = this.#jobs.get(id);
    if (!job) throw new KiezError('not-found', id);
    return job;
  }
  #id() {
    return (this.#next += 1).toString(16).padStart(4, '0');
  }
  #ref(id: string | null): IdeaRef | null {
    const idea = id === null ? undefined : this.#ideas.get(id);
    return idea ? { id: idea.id, plate: idea.plate, title: idea.title.now.text } : null;
  }
  #card(i: Idea): IdeaCard {
    return {
      id: i.id, plate: i.plate, plateWas: i.plateWas ?? null, title: i.title.now.text, author: this.person(i.by), at: this.#started - i.ago, changedAt: i.changed,
      cost: i.cost, place: i.place, categories: i.categories, targets: i.targets, state: i.state, comments: i.comments.length, unread: i.unread ?? false,
      firstWords: i.body.now.text.slice(0, 140),
    };
  }
  #comments(i: Idea): CommentCard[] {
    return i.comments.map((c) => ({ id: c.id, author: this.person(c.by), text: c.text, at: this.#started - c.ago, mine: c.by === this.#house.me, new: c.new ?? false }));
  }
  get #voters() {
    return [...this.#people.values()].filter((human) => human.role !== 'observer');
  }
  #pollCard(p: Ballot): PollCard {
    return {
      id: p.id, idea: this.#ref(p.idea) ?? { id: p.idea, plate: null, title: '' }, question: p.question, method: p.method, options: p.options, state: p.open ? 'open' : 'closed',
      openedBy: this.person(p.by), at: this.#started - p.ago, eligible: this.#voters.length, cast: Object.keys(p.votes).length, mine: p.votes[this.#house.me] ?? null, mayVote: true, mayClose: true,
    };
  }
  #pollPage(p: Ballot): PollPage {
    const all = Object.values(p.votes);
    const count = (option: string) => all.filter((v) => v.includes(option)).length;
    const best = Math.max(0, ...p.options.filter((o) => o !== 'abstain').map(count));
    const winners = p.open ? [] : p.method === 'yes-no' ? [count('yes') > count('no') ? 'yes' : 'no'] : p.options.filter((o) => count(o) === best);
    const voted = new Set(Object.keys(p.votes));
    return {
      card: this.#pollCard(p), counts: p.open ? null : p.options.map((option) => ({ option, count: count(option), won: winners.includes(option) })), winners,
      quorumReached: p.open ? null : true, fingerprint: p.open ? null : { digits: '40718 20655 93312', words: spoken }, twice: [],
      notYet: this.#voters.filter((human) => !voted.has(human.id)).map((human) => this.person(human.id)),
    };
  }
  #task(j: Job): TaskCard {
    return { id: j.id, title: j.title, idea: this.#ref(j.idea), assignees: j.who.map((id) => this.person(id)), mine: j.who.includes(this.#house.me), due: j.due === null ? null : dateOf(this.#started + j.due * DAY), state: j.state };
  }
  #reach(h: Human): PersonReach {
    return { person: this.person(h.id), hasAll: h.behind === 0, asOf: h.behind === null ? null : NOW() - h.behind, contact: h.contact };
  }
  #newsItems(): NewsItem[] {
    const at = (hours: number) => this.#started - hours * 3_600_000;
    if (!this.#news) return [];
    return [
      { kind: 'comment', by: this.person('a4'), at: at(2), idea: this.#ref('06'), text: 'Gibt es auch Bücher auf Ukrainisch?', new: true },
      { kind: 'joined', by: this.person('a5'), at: at(3), idea: null, text: this.person('a5').name ?? '', new: true },
      { kind: 'text', by: this.person('a1'), at: at(13), idea: this.#ref('05'), text: 'auch der Flur im ersten Stock', new: true },
      { kind: 'vote-opened', by: this.person('d1'), at: at(26), idea: this.#ref('06'), text: '', new: false },
      { kind: 'task-done', by: this.person('d1'), at: at(40), idea: this.#ref('03'), text: 'Vertrag mit der Stadt unterschreiben', new: false },
    ];
  }
  /** The newest first, as Kiez tells them. */
  #versions(i: Idea): Version[] {
    const titleOf = (n: number) => i.title.all[Math.min(n, i.title.all.length - 1)] ?? '';
    return i.body.all.map((body, n) => ({
      at: this.#started - i.ago + n * 60_000, by: this.person(i.body.by[n] ?? i.by), title: titleOf(n), body,
      titleParts: partsOf(n === 0 ? '' : titleOf(n - 1), titleOf(n)), parts: partsOf(i.body.all[n - 1] ?? '', body),
    })).reverse();
  }
  #today(): Today {
    const polls = this.#polls.filter((p) => p.open).map((p) => this.#pollCard(p));
    const others = [...this.#people.values()].filter((human) => human.id !== this.#house.me);
    return {
      group: this.card, me: this.person(this.#house.me), since: this.#seen, openVotes: polls.sort((a, b) => Number(a.mine !== null) - Number(b.mine !== null)),
      myTasks: [...this.#jobs.values()].filter((job) => job.who.includes(this.#house.me) && job.state !== 'done').map((job) => this.#task(job)),
      news: this.#newsItems(), arrived: others.slice(0, 5).map((human) => this.#reach(human)),
      firstSteps: [...(this.#people.size < 2 ? (['invite'] as const) : []), ...(this.#ideas.size === 0 ? (['idea'] as const) : []), ...(this.#house.wordsNoted || this.#house.backedUp !== null ? [] : (['words'] as const))],
    };
  }
  #ideaPage(i: Idea): IdeaPage {
    const missing = [...this.#people.values()].filter((human) => human.behind !== 0 && human.id !== this.#house.me);
    return {
      card: this.#card(i), body: i.body.now, title: i.title.now, comments: this.#comments(i), polls: this.#polls.filter((p) => p.idea === i.id).map((p) => this.#pollCard(p)),
      tasks: [...this.#jobs.values()].filter((job) => job.idea === i.id).map((job) => this.#task(job)), history: [...i.history].reverse(),
      writers: [...new Set([...i.title.by, ...i.body.by])].map((id) => this.person(id)),
      seenBy: { have: this.#people.size - missing.length, of: this.#people.size, missing: missing.map((human) => this.person(human.id)) }, mayWrite: this.council.answer.me === 'member' && this.#people.get(this.#house.me)?.role !== 'observer',
    };
  }
  #search(wanted: string): Hit[] {
    const text = wanted.toLocaleLowerCase();
    const has = (s: string) => s.toLocaleLowerCase().includes(text);
    const hits: Hit[] = [];
    for (const i of this.#ideas.values()) {
      if (has(i.title.now.text) || has(i.body.now.text)) hits.push({ kind: 'idea', id: i.id, title: i.title.now.text, idea: this.#ref(i.id) });
      for (const c of i.comments) if (has(c.text)) hits.push({ kind: 'comment', id: c.id, title: c.text, idea: this.#ref(i.id) });
    }
    for (const j of this.#jobs.values()) if (has(j.title)) hits.push({ kind: 'task', id: j.id, title: j.title, idea: this.#ref(j.idea) });
    return hits;
  }

  ask(query: Asked): unknown {
    switch (query.ask) {
      case 'today': return this.#today();
      case 'ideas': return [...this.#ideas.values()].map((i) => this.#card(i));
      case 'idea': return this.#ideaPage(this.#idea(query.id));
      case 'history': return this.#versions(this.#idea(query.id));
      case 'decisions': return this.#polls.map((p) => this.#pollCard(p));
      case 'poll': return this.#pollPage(this.#poll(query.id));
      case 'tasks': return [...this.#jobs.values()].map((j) => this.#task(j));
      case 'people': return [...this.#people.values()].map((h): PersonCard => ({ person: this.person(h.id), role: h.role, voice: this.council.voice(h.id), devices: h.devices, reach: this.#reach(h) }));
      case 'council': return this.council.answer;
      case 'connections': {
        const others = [...this.#people.values()].filter((human) => human.id !== this.#house.me);
        return {
          discovering: true, near: others.filter((human) => human.near).map((human) => this.person(human.id)), people: others.map((human) => this.#reach(human)),
          mine: { entries: 412, waiting: 0, quarantined: 0, setAside: 0 }, needsUpdate: false,
        } satisfies Connections;
      }
      case 'search': return this.#search(query.text);
    }
  }

  #note(idea: Idea, what: HistoryItem['what'], text: string) {
    idea.changed = NOW();
    idea.history.push({ at: NOW(), by: this.person(this.#house.me), what, text });
  }
  act(action: Done): unknown {
    const { me } = this.#house;
    switch (action.act) {
      case 'idea-add': {
        const id = this.#id();
        const title = action.title.trim();
        if (title === '') throw new KiezError('does-not-fit');
        let plate = 1;
        for (const idea of this.#ideas.values()) plate = Math.max(plate, (idea.plate ?? 0) + 1);
        this.grow({ id, plate, by: me, ago: this.#started - NOW(), state: 'idea', cost: action.cost, place: action.place, categories: [], targets: [], title, body: action.body, comments: [] });
        return { id };
      }
      case 'idea-text': {
        const idea = this.#idea(action.id);
        if (this.#done.has(action.once)) return idea[action.field].now;
        this.#done.add(action.once);
        const text = idea[action.field].put(action.heads, fromSplices(action.splices), me);
        this.#note(idea, action.field === 'title' ? 'title' : 'text', action.splices.map((s) => s.insert).join(' … '));
        return text;
      }
      case 'idea-cost': {
        const idea = this.#idea(action.id);
        idea.cost = action.cost;
        this.#note(idea, 'cost', String(action.cost ?? ''));
        return null;
      }
      case 'idea-place': {
        const idea = this.#idea(action.id);
        idea.place = action.place;
        this.#note(idea, 'place', '');
        return null;
      }
      case 'comment': {
        const id = this.#id();
        const idea = this.#idea(action.id);
        idea.comments.push({ id, by: me, text: action.text, ago: this.#started - NOW() });
        this.#note(idea, 'comment', action.text);
        return { id };
      }
      case 'poll-open': {
        const id = this.#id();
        const idea = this.#idea(action.idea);
        if (action.method === 'approval' && action.options.length < 2) throw new KiezError('poll');
        this.#polls.unshift({ id, idea: idea.id, question: idea.title.now.text, method: action.method, options: action.method === 'yes-no' ? ['yes', 'no', 'abstain'] : action.options, by: me, ago: this.#started - NOW(), open: true, votes: {} });
        idea.state = 'vote';
        this.#note(idea, 'vote-opened', '');
        return { id };
      }
      case 'cast': {
        const poll = this.#poll(action.poll);
        if (!poll.open) throw new KiezError('poll-closed');
        poll.votes[me] = action.answers;
        return null;
      }
      case 'poll-close': {
        const poll = this.#poll(action.poll);
        poll.open = false;
        this.#idea(poll.idea).state = 'decided';
        return null;
      }
      case 'task-add': {
        const id = this.#id();
        const due = action.due === null ? null : Math.round((Date.parse(action.due) - this.#started) / DAY);
        this.#jobs.set(id, { id, title: action.title, idea: action.idea, who: action.assignees, due, state: 'open' });
        return { id };
      }
      case 'task-state':
        this.#job(action.id).state = action.state;
        return null;
      case 'task-take': {
        const job = this.#job(action.id);
        job.who = [...new Set([...job.who, me])];
        job.state = 'doing';
        return null;
      }
      case 'seen': this.#seen = NOW(); return null;
      case 'propose': return { id: this.council.propose(action.wish, action.reason) };
      case 'erase-own': {
        const { own } = action;
        for (const idea of this.#ideas.values()) idea.comments = idea.comments.filter((said) => said.by !== me || (own.what === 'comment' && said.id !== own.id));
        return { id: this.council.wiped(null, [me], null) };
      }
      case 'sign': return { id: this.council.sign(action.motion) };
      case 'vouch': return { id: this.council.vouch(action.ask) };
      case 'withdraw': return { id: this.council.withdraw(action.invitation) };
      case 'leave': return { id: this.council.leave() };
      case 'invite':
        this.council.invited(action.role);
        return { invitation: `kiez1${'q7x2m5ab'.repeat(48)}`, expires: NOW() + 14 * DAY, addresses: ['192.168.178.20'] };
    }
  }
}

/** A text beside the one before. */
function partsOf(before: string, after: string): Part[] {
  const parts: Part[] = [];
  let at = 0;
  for (const op of diff(before, after)) {
    if (typeof op === 'string') parts.push({ text: op, was: 'added' });
    else if (op > 0) parts.push({ text: before.slice(at, (at += op)), was: 'same' });
    else parts.push({ text: before.slice(at, (at -= op)), was: 'removed' });
  }
  if (at < before.length) parts.push({ text: before.slice(at), was: 'same' });
  return parts;
}
