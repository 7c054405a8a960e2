/** A neighbourhood in memory: for tests of the pages and for looking around (`?demo`). Keeps nothing. */
import type { Backend, CopyProgress, Link } from '../backend';
import { KiezError } from '../error';
import type { Action, DeviceCard, DeviceOffer, Door, News, Query, Standing, Wish } from '../types';
import { alone, DAY, type Human, NOW, recovery, type Seed, type Sketch, small } from './example';
import { busy, templates } from './council';
import { Neighbourhood } from './neighbourhood';

const GROUP = '00ff';
const COPY = 3_400_000;
const SECOND = '00ee';
const ME = 'b1';

/** `full`: a group with all there is. `alone`: a group just founded. `empty`: no group. `year`: as large as after a year.
 * `council`: a group whose council has everything before it; `removed`, `left`, `device-out`, `void`: one in which I stand so. */
export type Size = 'full' | 'alone' | 'empty' | 'two' | 'council' | Exclude<Standing, 'member'> | Seed;
export interface Options { state?: Door['state']; size?: Size; passphrase?: string; delay?: number }

interface House {
  state: Door['state'];
  me: string;
  name: string;
  wordsNoted: boolean;
  backedUp: number | null;
  lockAfter: number | null;
  passphrase: string;
  groups: Map<string, Neighbourhood>;
}

export class MemoryBackend implements Backend {
  readonly stops: boolean = true;
  readonly #hearers = new Set<{ news: (event: News) => void; link: (state: Link) => void }>();
  readonly #delay: number;
  #house: House;
  /** The house that was left for the example. */
  #left: House | null = null;
  /** How it stands with a further computer. */
  #offer: DeviceOffer = { standing: 'none' };
  #devices: DeviceCard[] = [{ device: 'de01', here: true, groups: 1 }, { device: 'de02c47a9e', here: false, groups: 1 }];
  /** For tests: the next action or question with this name fails with that code. */
  readonly fails = new Map<string, string>();
  /** For tests: nobody answers. */
  #dead = false;
  /** For tests: all that was asked and done. */
  readonly log: (Query | Action)[] = [];

  constructor(options: Options = {}) {
    const state = options.state ?? 'open';
    this.#delay = options.delay ?? 0;
    this.#house = { state, me: ME, name: 'Barbara Nowak', wordsNoted: false, backedUp: null, lockAfter: 15, passphrase: options.passphrase ?? 'vier kleine katzen tanzen', groups: new Map() };
    const size = state === 'new' ? 'empty' : (options.size ?? 'full');
    if (size === 'empty') return;
    this.#found(GROUP, seedOf(size));
    if (size === 'two') this.#found(SECOND, { ...alone, name: 'Rawa-Ufer' });
  }
  #found(id: string, seed: Seed) {
    this.#house.groups.set(id, new Neighbourhood(id, seed, this.#house));
  }
  #group(id: string): Neighbourhood {
    const group = this.#house.groups.get(id);
    if (!group) throw new KiezError('no-such-group');
    return group;
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

  /** For tests: the program that keeps everything dies; and is there again. */
  die() {
    this.#dead = true;
    this.link('lost');
  }
  rise() {
    this.#dead = false;
    this.link('open');
  }
  /** It stands otherwise with a further computer. */
  offers(offer: DeviceOffer) {
    this.#offer = offer;
    this.tell({ event: 'device' });
  }
  /** Somebody else writes: what others do arrives like this. */
  other(id: string, field: 'title' | 'body', write: (text: string) => string) {
    this.#group(GROUP).write(id, field, write, 'a3');
    this.#changed();
  }
  otherSays(id: string, text: string) {
    this.#group(GROUP).say(id, 'a3', text);
    this.#changed();
  }
  /** Somebody else adds an idea, with whatever words. */
  otherIdea(sketch: Partial<Sketch> & { id: string; title: string }) {
    this.#group(GROUP).grow({ plate: null, by: 'a3', ago: 0, state: 'idea', cost: null, place: null, categories: [], targets: [], body: '', comments: [], ...sketch });
    this.#changed();
  }
  /** Somebody else proposes something; somebody else signs it. */
  otherProposes(by: string, wish: Wish, reason: string): string {
    const id = this.#group(GROUP).council.propose(wish, reason, by);
    this.#changed();
    return id;
  }
  otherSigns(by: string, motion: string) {
    this.#group(GROUP).council.sign(motion, by);
    this.#changed();
  }
  /** Somebody accepts an invitation of this device. */
  otherJoins(human: Human, code: string) {
    this.#group(GROUP).welcome(human);
    this.tell({ event: 'joined', group: GROUP, code });
    this.#changed();
  }

  async #way(name: string) {
    if (this.#delay > 0) await new Promise((done) => setTimeout(done, this.#delay));
    if (this.#dead) throw new KiezError('connection-lost');
    const code = this.fails.get(name);
    if (code !== undefined) {
      this.fails.delete(name);
      throw new KiezError(code);
    }
  }

  async ask(query: Query): Promise<unknown> {
    this.log.push(query);
    await this.#way(query.ask);
    return structuredClone(this.#answer(query));
  }
  #answer(query: Query): unknown {
    const house = this.#house;
    const open = house.state === 'open';
    if (query.ask === 'door') {
      return {
        state: house.state, name: house.state === 'new' ? null : house.name, groups: open ? [...house.groups.values()].map((group) => group.card) : [],
        person: open ? ME : null, device: open ? 'de01' : null, wordsNoted: house.wordsNoted, backedUp: house.backedUp, needsWayBack: open && needsWayBack(house), lockAfter: house.lockAfter, example: this.#left !== null,
      } satisfies Door;
    }
    if (query.ask === 'invitation') {
      const ok = invited(query.text);
      return { group: null, expires: ok ? NOW() + 3 * DAY : null, ok, code: ok ? null : 'not-an-invitation' };
    }
    if (!open) throw new KiezError('locked');
    if (query.ask === 'words') {
      if (query.passphrase !== house.passphrase) throw new KiezError('wrong-passphrase');
      return recovery;
    }
    if (query.ask === 'device-offer') return this.#offer;
    if (query.ask === 'templates') return templates;
    if (query.ask === 'devices') return this.#devices;
    return this.#group(query.group).ask(query);
  }

  async act(action: Action): Promise<unknown> {
    this.log.push(action);
    await this.#way(action.act);
    const answer = this.#do(action);
    if (doors.has(action.act)) this.tell({ event: 'door' });
    else if (action.act === 'look') this.tell({ event: 'contacts' });
    else if (!quiet.has(action.act) && 'group' in action) this.tell({ event: 'changed', group: action.group });
    return structuredClone(answer);
  }
  #do(action: Action): unknown {
    const house = this.#house;
    switch (action.act) {
      case 'profile-new':
      case 'restore':
        if (action.passphrase === '') throw new KiezError('empty-passphrase');
        Object.assign(house, { name: action.name, passphrase: action.passphrase, state: 'open' });
        return null;
      case 'unlock':
        if (action.passphrase !== house.passphrase) throw new KiezError('wrong-passphrase');
        house.state = 'open';
        return null;
      case 'lock': house.state = 'locked'; return null;
      case 'found': {
        const id = house.groups.size === 0 ? GROUP : SECOND;
        const charter = templates.find((one) => one.template === (action.template ?? 'circle'));
        this.#found(id, { ...alone, name: action.name, purpose: action.purpose, ...(charter ? { council: { ...busy('member'), charter, voices: [ME], moves: [], gone: [], asking: [], invitations: [], hidden: [], erased: [], copied: [], putOff: [] } } : {}) });
        return { id };
      }
      case 'example':
        this.#left = house;
        this.#house = { ...house, state: 'open', name: 'Barbara Nowak', wordsNoted: true, groups: new Map() };
        this.#found(GROUP, small);
        return { id: GROUP };
      case 'example-end':
        this.#house = this.#left ?? house;
        this.#left = null;
        return null;
      case 'join':
        if (!invited(action.invitation)) throw new KiezError('not-an-invitation');
        this.#found(GROUP, small);
        this.tell({ event: 'joined', group: GROUP, code: '575 392' });
        return { id: GROUP, name: small.name, code: '575 392' };
      case 'join-stop': return null;
      case 'active': return null;
      case 'lock-after': house.lockAfter = action.minutes; return null;
      case 'erase':
        Object.assign(house, { state: 'new', wordsNoted: false, backedUp: null, groups: new Map() });
        return null;
      case 'device-offer':
        if (action.passphrase !== house.passphrase) throw new KiezError('wrong-passphrase');
        this.#offer = { standing: 'waiting', expires: NOW() + 15 * 60_000 };
        return { text: 'kiezme1ajtrtr5dh', expires: NOW() + 15 * 60_000 };
      case 'device-decide':
        this.offers(action.agrees ? { standing: 'done', leftOut: 0 } : { standing: 'failed', code: 'codes-differ' });
        return null;
      case 'device-withdraw': this.#offer = { standing: 'none' }; return null;
      case 'device-join':
        if (!/^kiezme1[a-z2-7]+$/.test(action.text.replace(/\s/g, '').toLowerCase())) throw new KiezError('not-a-device-text');
        this.tell({ event: 'device-code', code: '163 204' });
        Object.assign(house, { passphrase: action.passphrase, state: 'open' });
        this.#found(GROUP, small);
        return { groups: 1, leftOut: 0 };
      case 'look': return null;
      case 'words-noted': house.wordsNoted = true; return null;
      case 'passphrase':
        if (action.old !== house.passphrase) throw new KiezError('wrong-passphrase');
        house.passphrase = action.new;
        return null;
      case 'name': house.name = action.name; return null;
      case 'device-retire':
        this.#devices = this.#devices.filter((one) => one.device !== action.device);
        return null;
      default:
        if (house.state !== 'open') throw new KiezError('locked');
        if (action.act === 'erase-own' && action.passphrase !== house.passphrase) throw new KiezError('wrong-passphrase');
        return this.#group(action.group).act(action);
    }
  }

  async backup(passphrase: string) {
    await this.#way('backup');
    if (passphrase !== this.#house.passphrase) throw new KiezError('wrong-passphrase');
    this.#house.backedUp = NOW();
    this.tell({ event: 'door' });
    return { bytes: new Blob(['KIEZBACK']), name: 'Kiez Barbara Nowak.kiez-backup' };
  }
  /** Any file that begins like one. */
  async recover(sent: Blob) {
    await this.#way('recover');
    const bytes = new Uint8Array(await sent.arrayBuffer());
    const start = 4 + new DataView(bytes.buffer).getUint32(0, true);
    const letters = new TextDecoder();
    if (!letters.decode(bytes.slice(start)).startsWith('KIEZBACK')) throw new KiezError('not-a-backup');
    Object.assign(this.#house, { state: 'open', passphrase: letters.decode(bytes.slice(4, start)) });
    this.#found(GROUP, small);
    this.tell({ event: 'door' });
  }
  async copyOut(_group: string, progress: CopyProgress, stop: AbortSignal) {
    this.tell({ event: 'copying', step: 'gathering' });
    await this.#way('copy-out');
    await this.#copied(COPY, progress, stop);
    return { bytes: new Blob(['KIEZ']), name: 'zawodzie.kiez' };
  }
  async copyIn(file: Blob, progress: CopyProgress, stop: AbortSignal) {
    await this.#way('copy-in');
    await this.#copied(file.size, progress, stop);
    this.tell({ event: 'copying', step: 'taking-in' });
    await this.#way('copy-in');
    this.#changed();
  }
  /** In four steps. */
  async #copied(size: number, progress: CopyProgress, stop: AbortSignal) {
    for (const part of [0.25, 0.5, 0.75, 1]) {
      progress(part * size, size);
      await this.#way('copying');
      if (stop.aborted) throw new KiezError('stopped');
    }
  }
}

const doors = new Set(['profile-new', 'unlock', 'lock', 'restore', 'found', 'example', 'example-end', 'join', 'words-noted', 'name', 'lock-after', 'erase', 'device-join']);
function seedOf(size: Size): Seed {
  switch (size) {
    case 'full':
    case 'empty':
    case 'two': return small;
    case 'alone': return alone;
    case 'council': return { ...small, council: busy('member') };
    case 'removed':
    case 'left':
    case 'device-out':
    case 'void': return { ...small, council: busy(size) };
    default: return size;
  }
}
const quiet = new Set(['seen', 'invite']);
const needsWayBack = (house: House) => !house.wordsNoted && house.backedUp === null;
const invited = (text: string) => /^kiez1[a-z2-7]+$/.test(text.replace(/\s/g, '').toLowerCase());
