/** A neighbourhood in memory: for tests of the pages and for looking around (`?demo`). Keeps nothing. */
import type { Backend, Link } from '../backend';
import { KiezError } from '../error';
import type {
  Action, CommentCard, Connections, Door, HistoryItem, Hit, IdeaCard, IdeaPage, IdeaRef, NewsItem, News, Person, PersonReach, PollCard,
  PollPage, Query, TaskCard, Text, Today,
} from '../types';
import { diff } from '../../text/diff';
import { apply, fromSplices, type Ops, rebase } from '../../text/ops';
import { dateOf } from '../../words/format';
import { type Ballot, ballots, type Human, humans, type Job, jobs, NOW, recovery, type Sketch, sketches, spoken } from './example';

const GROUP = '00ff';
const DAY = 86_400_000;
const ME = 'b1';

/** A text with all it was, so that splices against old heads find their place. */
class Grown {
  #texts: string[];
  #changes: Ops[] = [];
  constructor(text: string) {
    this.#texts = [text];
  }
  get now(): Text {
    return { text: this.#texts.at(-1) ?? '', heads: this.#changes.length.toString(16).padStart(8, '0') };
  }
  put(heads: string, ops: Ops): Text {
    let mine = ops;
    for (const later of this.#changes.slice(Number.parseInt(heads, 16))) mine = rebase(mine, later, false);
    this.#texts.push(apply(this.now.text, mine));
    this.#changes.push(mine);
    return this.now;
  }
  get all() {
    return this.#texts;
  }
}

type Idea = Omit<Sketch, 'title' | 'body'> & { title: Grown; body: Grown; changed: number; history: HistoryItem[] };
export interface Options { state?: Door['state']; empty?: boolean; passphrase?: string; delay?: number }

export class MemoryBackend implements Backend {
  readonly #hearers = new Set<{ news: (event: News) => void; link: (state: Link) => void }>();
  readonly #started = NOW();
  readonly #people: Human[];
  readonly #ideas: Idea[];
  readonly #polls: Ballot[];
  readonly #jobs: Job[];
  #state: Door['state'];
  #name = 'Barbara Nowak';
  #group: { name: string; purpose: string } | null;
  #wordsNoted = false;
  #passphrase: string;
  #next = 100;
  #seen: number;
  readonly #delay: number;
  /** For tests: the next action or question with this name fails with that code. */
  readonly fails = new Map<string, string>();
  /** For tests: all that was asked and done. */
  readonly log: (Query | Action)[] = [];

  constructor(options: Options = {}) {
    const full = !options.empty && (options.state ?? 'open') !== 'new';
    this.#state = options.state ?? 'open';
    this.#passphrase = options.passphrase ?? 'vier kleine katzen tanzen';
    this.#delay = options.delay ?? 0;
    this.#group = full ? { name: 'Zawodzie', purpose: 'Was wir zwischen Rawa und Bahn gemeinsam machen.' } : null;
    this.#people = structuredClone(full ? humans : humans.slice(0, 1));
    this.#polls = structuredClone(full ? ballots : []);
    this.#jobs = structuredClone(full ? jobs : []);
    this.#seen = this.#started - DAY;
    this.#ideas = (full ? sketches : []).map((s) => this.#grow(s));
  }

  #grow(s: Sketch): Idea {
    const at = this.#started - s.ago;
    return { ...structuredClone(s), title: new Grown(s.title), body: new Grown(s.body), changed: at, history: [{ at, by: this.person(s.by), what: 'written', text: s.title }] };
  }

  person(id: string): Person {
    const name = id === ME ? this.#name : (this.#people.find((p) => p.id === id)?.name ?? null);
    const initials = (name ?? '?').split(/\s+/).map((w) => Array.from(w)[0] ?? '').slice(0, 2).join('');
    return { id, name, initials, me: id === ME };
  }

  listen(news: (event: News) => void, link: (state: Link) => void) {
    const hearer = { news, link };
    this.#hearers.add(hearer);
    return () => this.#hearers.delete(hearer);
  }
  tell(event: News) {
    for (const hearer of [...this.#hearers]) hearer.news(event);
  }
  link(state: Link) {
    for (const hearer of [...this.#hearers]) hearer.link(state);
  }
  #changed() {
    this.tell({ event: 'changed', group: GROUP });
  }

  /** Somebody else writes: what others do arrives like this. */
  other(id: string, field: 'title' | 'body', write: (text: string) => string) {
    const idea = this.#idea(id);
    const now = idea[field].now;
    idea[field].put(now.heads, diff(now.text, write(now.text)));
    this.#changed();
  }
  /** Somebody else adds an idea, with whatever words. */
  otherIdea(sketch: Partial<Sketch> & { id: string; title: string }) {
    this.#ideas.push(this.#grow({ plate: null, by: 'a3', ago: 0, state: 'idea', cost: null, place: null, categories: [], targets: [], body: '', comments: [], ...sketch }));
    this.#changed();
  }

  async #way(name: string) {
    if (this.#delay > 0) await new Promise((done) => setTimeout(done, this.#delay));
    const code = this.fails.get(name);
    if (code !== undefined) {
      this.fails.delete(name);
      throw new KiezError(code);
    }
  }

  #idea(id: string): Idea {
    const idea = this.#ideas.find((i) => i.id === id);
    if (!idea) throw new KiezError('not-found', id);
    return idea;
  }
  #ref(id: string | null): IdeaRef | null {
    const idea = this.#ideas.find((i) => i.id === id);
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
    return i.comments.map((c) => ({ id: c.id, author: this.person(c.by), text: c.text, at: this.#started - c.ago, mine: c.by === ME, new: c.new ?? false }));
  }
  #poll(p: Ballot): PollCard {
    const voters = this.#people.filter((h) => h.role !== 'observer');
    return {
      id: p.id, idea: this.#ref(p.idea) ?? { id: p.idea, plate: null, title: '' }, question: p.question, method: p.method, options: p.options, state: p.open ? 'open' : 'closed',
      openedBy: this.person(p.by), at: this.#started - p.ago, eligible: voters.length, cast: Object.keys(p.votes).length, mine: p.votes[ME] ?? null, mayVote: true, mayClose: true,
    };
  }
  #pollPage(p: Ballot): PollPage {
    const card = this.#poll(p);
    const all = Object.values(p.votes);
    const count = (option: string) => all.filter((v) => v.includes(option)).length;
    const best = Math.max(0, ...p.options.filter((o) => o !== 'abstain').map(count));
    const winners = p.open ? [] : p.method === 'yes-no' ? [count('yes') > count('no') ? 'yes' : 'no'] : p.options.filter((o) => count(o) === best);
    const voted = new Set(Object.keys(p.votes));
    return {
      card, counts: p.open ? null : p.options.map((option) => ({ option, count: count(option), won: winners.includes(option) })), winners,
      quorumReached: p.open ? null : true, fingerprint: p.open ? null : { digits: '40718 20655 93312', words: spoken }, twice: [],
      notYet: this.#people.filter((h) => h.role !== 'observer' && !voted.has(h.id)).map((h) => this.person(h.id)),
    };
  }
  #task(j: Job): TaskCard {
    return { id: j.id, title: j.title, idea: this.#ref(j.idea), assignees: j.who.map((id) => this.person(id)), mine: j.who.includes(ME), due: j.due === null ? null : dateOf(this.#started + j.due * DAY), state: j.state };
  }
  #reach(h: Human): PersonReach {
    return { person: this.person(h.id), hasAll: h.behind === 0, asOf: h.behind === null ? null : NOW() - h.behind, contact: h.contact };
  }
  #news(): NewsItem[] {
    const at = (hours: number) => this.#started - hours * 3_600_000;
    if (this.#people.length < 2) return [];
    return [
      { kind: 'comment', by: this.person('a4'), at: at(2), idea: this.#ref('06'), text: 'Gibt es auch Bücher auf Ukrainisch?', new: true },
      { kind: 'joined', by: this.person('a5'), at: at(3), idea: null, text: '', new: true },
      { kind: 'text', by: this.person('a1'), at: at(13), idea: this.#ref('05'), text: 'auch der Flur im ersten Stock', new: true },
      { kind: 'vote-opened', by: this.person('d1'), at: at(26), idea: this.#ref('06'), text: '', new: false },
      { kind: 'task-done', by: this.person('d1'), at: at(40), idea: this.#ref('03'), text: 'Vertrag mit der Stadt unterschreiben', new: false },
    ];
  }

  async ask(query: Query): Promise<unknown> {
    this.log.push(query);
    await this.#way(query.ask);
    if (query.ask !== 'door' && query.ask !== 'invitation' && this.#state !== 'open') throw new KiezError('locked');
    return structuredClone(this.#answer(query));
  }

  #answer(query: Query): unknown {
    const others = this.#people.filter((h) => h.id !== ME);
    switch (query.ask) {
      case 'door': {
        const open = this.#state === 'open';
        const groups = open && this.#group ? [{ id: GROUP, ...this.#group, people: this.#people.length }] : [];
        return { state: this.#state, name: this.#state === 'new' ? null : this.#name, groups, person: open ? ME : null, device: open ? 'de01' : null, wordsNoted: this.#wordsNoted, example: false } satisfies Door;
      }
      case 'today': {
        if (!this.#group) throw new KiezError('no-such-group');
        const polls = this.#polls.filter((p) => p.open).map((p) => this.#poll(p));
        return {
          group: { id: GROUP, ...this.#group, people: this.#people.length }, me: this.person(ME), since: this.#seen,
          openVotes: polls.sort((a, b) => Number(a.mine !== null) - Number(b.mine !== null)), myTasks: this.#jobs.filter((j) => j.who.includes(ME) && j.state !== 'done').map((j) => this.#task(j)),
          news: this.#news(), arrived: others.slice(0, 5).map((h) => this.#reach(h)),
          firstSteps: [...(this.#people.length < 2 ? (['invite'] as const) : []), ...(this.#ideas.length === 0 ? (['idea'] as const) : []), ...(this.#wordsNoted ? [] : (['words'] as const))],
        } satisfies Today;
      }
      case 'ideas': return this.#ideas.map((i) => this.#card(i));
      case 'idea': {
        const i = this.#idea(query.id);
        return {
          card: this.#card(i), body: i.body.now, title: i.title.now, comments: this.#comments(i), polls: this.#polls.filter((p) => p.idea === i.id).map((p) => this.#poll(p)),
          tasks: this.#jobs.filter((j) => j.idea === i.id).map((j) => this.#task(j)), history: [...i.history].reverse(), writers: [this.person(i.by)],
          seenBy: { have: Math.max(1, this.#people.length - 3), of: this.#people.length, missing: others.slice(3, 6).map((h) => this.person(h.id)) }, mayWrite: true,
        } satisfies IdeaPage;
      }
      case 'history': {
        const i = this.#idea(query.id);
        return i.body.all.map((body, n) => {
          const ops = diff(i.body.all[n - 1] ?? '', body);
          const parts: { text: string; was: 'same' | 'added' | 'removed' }[] = [];
          const before = i.body.all[n - 1] ?? '';
          let at = 0;
          for (const op of ops) {
            if (typeof op === 'string') parts.push({ text: op, was: 'added' });
            else if (op > 0) parts.push({ text: before.slice(at, (at += op)), was: 'same' });
            else parts.push({ text: before.slice(at, (at -= op)), was: 'removed' });
          }
          if (at < before.length) parts.push({ text: before.slice(at), was: 'same' });
          return { at: this.#started - i.ago + n * 60_000, by: this.person(n === 0 ? i.by : ME), title: i.title.now.text, body, parts };
        });
      }
      case 'decisions': return this.#polls.map((p) => this.#poll(p));
      case 'poll': {
        const p = this.#polls.find((x) => x.id === query.id);
        if (!p) throw new KiezError('not-found', query.id);
        return this.#pollPage(p);
      }
      case 'tasks': return this.#jobs.map((j) => this.#task(j));
      case 'people': return this.#people.map((h) => ({ person: this.person(h.id), role: h.role, devices: h.devices, reach: this.#reach(h) }));
      case 'connections': return { discovering: true, near: others.filter((h) => h.near).map((h) => this.person(h.id)), people: others.map((h) => this.#reach(h)), mine: { entries: 412, waiting: 0, quarantined: 0, setAside: 0 }, needsUpdate: false } satisfies Connections;
      case 'search': {
        const text = query.text.toLocaleLowerCase();
        const has = (s: string) => s.toLocaleLowerCase().includes(text);
        const hits: Hit[] = [];
        for (const i of this.#ideas) {
          if (has(i.title.now.text) || has(i.body.now.text)) hits.push({ kind: 'idea', id: i.id, title: i.title.now.text, idea: this.#ref(i.id) });
          for (const c of i.comments) if (has(c.text)) hits.push({ kind: 'comment', id: c.id, title: c.text, idea: this.#ref(i.id) });
        }
        for (const j of this.#jobs) if (has(j.title)) hits.push({ kind: 'task', id: j.id, title: j.title, idea: this.#ref(j.idea) });
        return hits;
      }
      case 'words':
        if (query.passphrase !== this.#passphrase) throw new KiezError('wrong-passphrase');
        return recovery;
      case 'invitation': {
        const ok = query.text.trim().startsWith('kiez:');
        return { group: ok ? 'Zawodzie' : null, expires: ok ? NOW() + 3 * DAY : null, ok, code: ok ? null : 'not-an-invitation' };
      }
    }
  }

  async act(action: Action): Promise<unknown> {
    this.log.push(action);
    await this.#way(action.act);
    const answer = this.#do(action);
    if (['profile-new', 'unlock', 'lock', 'restore', 'found', 'example', 'join', 'words-noted', 'name'].includes(action.act)) this.tell({ event: 'door' });
    else if (!['seen', 'invite', 'look', 'passphrase', 'join-stop'].includes(action.act)) this.#changed();
    return structuredClone(answer);
  }

  #id() {
    return (this.#next += 1).toString(16).padStart(4, '0');
  }
  #note(idea: Idea, what: HistoryItem['what'], text: string) {
    idea.changed = NOW();
    idea.history.push({ at: NOW(), by: this.person(ME), what, text });
  }

  #do(action: Action): unknown {
    switch (action.act) {
      case 'profile-new':
      case 'restore':
        if (action.passphrase === '') throw new KiezError('empty-passphrase');
        this.#name = action.name;
        this.#passphrase = action.passphrase;
        this.#state = 'open';
        return null;
      case 'unlock':
        if (action.passphrase !== this.#passphrase) throw new KiezError('wrong-passphrase');
        this.#state = 'open';
        return null;
      case 'lock': this.#state = 'locked'; return null;
      case 'found': this.#group = { name: action.name, purpose: action.purpose }; return { id: GROUP };
      case 'example': this.#state = 'open'; this.#group ??= { name: 'Zawodzie', purpose: '' }; return { id: GROUP };
      case 'join':
        if (!action.invitation.trim().startsWith('kiez:')) throw new KiezError('not-an-invitation');
        this.#group = { name: 'Zawodzie', purpose: '' };
        this.tell({ event: 'joined', group: GROUP, code: '575 392' });
        return { id: GROUP, name: 'Zawodzie', code: '575 392' };
      case 'invite': return { invitation: `kiez:ein1adung-${'q7x2m9'.repeat(40)}`, expires: NOW() + 3 * DAY, addresses: ['192.168.178.20'] };
      case 'idea-add': {
        const id = this.#id();
        const title = action.title.trim();
        if (title === '') throw new KiezError('does-not-fit');
        const plate = Math.max(0, ...this.#ideas.map((i) => i.plate ?? 0)) + 1;
        this.#ideas.push(this.#grow({ id, plate, by: ME, ago: 0, state: 'idea', cost: action.cost, place: action.place, categories: [], targets: [], title, body: action.body, comments: [] }));
        return { id };
      }
      case 'idea-text': {
        const idea = this.#idea(action.id);
        const text = idea[action.field].put(action.heads, fromSplices(action.splices));
        this.#note(idea, action.field === 'title' ? 'title' : 'text', action.splices.map((s) => s.insert).join(' … '));
        return text;
      }
      case 'idea-cost': this.#idea(action.id).cost = action.cost; this.#note(this.#idea(action.id), 'cost', String(action.cost ?? '')); return null;
      case 'idea-place': this.#idea(action.id).place = action.place; this.#note(this.#idea(action.id), 'place', ''); return null;
      case 'comment': {
        const id = this.#id();
        this.#idea(action.id).comments.push({ id, by: ME, text: action.text, ago: this.#started - NOW() });
        this.#note(this.#idea(action.id), 'comment', action.text);
        return { id };
      }
      case 'poll-open': {
        const id = this.#id();
        const idea = this.#idea(action.idea);
        if (action.method === 'approval' && action.options.length < 2) throw new KiezError('poll');
        this.#polls.unshift({ id, idea: idea.id, question: idea.title.now.text, method: action.method, options: action.method === 'yes-no' ? ['yes', 'no', 'abstain'] : action.options, by: ME, ago: this.#started - NOW(), open: true, votes: {} });
        idea.state = 'vote';
        this.#note(idea, 'vote-opened', '');
        return { id };
      }
      case 'cast': {
        const poll = this.#polls.find((p) => p.id === action.poll);
        if (!poll) throw new KiezError('not-found');
        if (!poll.open) throw new KiezError('poll-closed');
        poll.votes[ME] = action.answers;
        return null;
      }
      case 'poll-close': {
        const poll = this.#polls.find((p) => p.id === action.poll);
        if (!poll) throw new KiezError('not-found');
        poll.open = false;
        this.#idea(poll.idea).state = 'decided';
        return null;
      }
      case 'task-add': {
        const id = this.#id();
        const due = action.due === null ? null : Math.round((Date.parse(action.due) - this.#started) / DAY);
        this.#jobs.push({ id, title: action.title, idea: action.idea, who: action.assignees, due, state: 'open' });
        return { id };
      }
      case 'task-state': {
        const job = this.#jobs.find((j) => j.id === action.id);
        if (!job) throw new KiezError('not-found');
        job.state = action.state;
        return null;
      }
      case 'seen': this.#seen = NOW(); return null;
      case 'words-noted': this.#wordsNoted = true; return null;
      case 'passphrase':
        if (action.old !== this.#passphrase) throw new KiezError('wrong-passphrase');
        this.#passphrase = action.new;
        return null;
      case 'name': this.#name = action.name; return null;
      case 'look':
        this.tell({ event: 'contacts' });
        return null;
      case 'join-stop': return null;
    }
  }

  async copyOut() {
    await this.#way('copy-out');
    return { bytes: new Blob(['KIEZ']), name: 'zawodzie.kiez' };
  }
  async copyIn(_file: Blob, progress: (done: number) => void) {
    progress(0.5);
    await this.#way('copy-in');
    progress(1);
    this.#changed();
  }
}
