import { SvelteMap } from 'svelte/reactivity';
import { getContext, setContext } from 'svelte';
import type { Client, Council, Door, KiezError, Link, News, Person } from './api';
import { asKiezError } from './api';
import { Live } from './answer.svelte';
import { hiddenBy, mayWrite } from './council';
import type { Writing } from './writing.svelte';
import { Copying } from './copy.svelte';

const KEY = 'kiez';
/** What a person does, and how often it is told. */
const signs = ['pointerdown', 'pointermove', 'keydown', 'wheel', 'touchstart'];
const ACTIVE_EVERY = 30_000;

interface Code {
  group: string;
  code: string;
  mine: boolean;
}

interface Notice {
  text: string;
  bad: boolean;
  undo: (() => void) | null;
  undoText: string;
}

/** What every page shares: the client, who I am, which group, and whether the line is open. */
export class Kiez {
  readonly client: Client;
  door = $state.raw<Door | null>(null);
  doorError = $state.raw<KiezError | null>(null);
  link = $state<Link>('open');
  notice = $state.raw<Notice | null>(null);
  /** The one that went along to another place already. */
  #along: Notice | null = null;
  /** Something of a group was shown: from now on the focus goes with the reader. */
  shown = false;
  /** Said to screen readers. */
  spoken = $state('');
  /** Somebody joined: the digits that both screens must show, until somebody says that they were compared. */
  codes = $state.raw<Code[]>([]);
  /** The digits of the first computer, while this one becomes a further one of its person. */
  deviceCode = $state('');
  /** Whose the drafts are. */
  #writer: string | null = null;
  /** When it was last told that somebody is here. */
  #told = 0;
  /** What was begun and not sent, by place: who comes back finds it. */
  readonly drafts = new SvelteMap<string, string>();
  readonly texts = new Map<string, Writing>();
  readonly copy: Copying;
  readonly #answers = new Map<string, Live<unknown>>();
  #turn = 0;
  #wanted = $state<string | null>(null);
  readonly #hearers = new Set<(event: News | 'all') => void>();

  constructor(client: Client) {
    this.client = client;
    this.copy = new Copying(this);
    this.#wanted = globalThis.localStorage?.getItem('kiez-group') ?? null;
  }

  get group(): string {
    const groups = this.door?.groups ?? [];
    return (groups.find((group) => group.id === this.#wanted) ?? groups[0])?.id ?? '';
  }
  get groupName(): string {
    return this.door?.groups.find((group) => group.id === this.group)?.name ?? '';
  }
  choose(group: string) {
    // What was just done, and could be undone, was in the other group.
    if (group !== this.group) this.notice = null;
    this.#wanted = group;
    globalThis.localStorage?.setItem('kiez-group', group);
  }

  /** Opens the line. Returns how to close it. */
  start(): () => void {
    const stop = this.client.listen(
      (event) => this.#hear(event),
      (state) => {
        const healed = this.link !== 'open' && state === 'open';
        this.link = state;
        if (healed) {
          void this.ask();
          this.tell('all');
        }
      },
    );
    void this.ask();
    // Only what a person does at this computer: what comes from others keeps nothing open.
    const here = () => this.#here();
    for (const sign of signs) globalThis.addEventListener(sign, here, { passive: true });
    return () => {
      for (const sign of signs) globalThis.removeEventListener(sign, here);
      stop();
    };
  }

  #here() {
    const now = Date.now();
    if (this.door?.state !== 'open' || this.door.lockAfter === null || now - this.#told < ACTIVE_EVERY) return;
    this.#told = now;
    void this.client.active().catch(() => undefined);
  }

  #hear(event: News) {
    if (event.event === 'everything') {
      void this.ask();
      this.tell('all');
      return;
    }
    if (event.event === 'door' || event.event === 'joined') void this.ask();
    if (event.event === 'copying') this.copy.told(event.step);
    if (event.event === 'device-code') this.deviceCode = event.code;
    if (event.event === 'joined') this.compare(event.group, event.code, false);
    this.tell(event);
  }

  /** Who am I, what is open? */
  async ask() {
    try {
      const door = await this.client.door();
      // Another profile, or a locked one: nothing of what was shown is left.
      if (door.person !== this.door?.person || door.example !== this.door.example) {
        this.#answers.clear();
        this.notice = null;
        this.spoken = '';
        this.codes = [];
      }
      // Who comes back finds what was begun; who is another person does not.
      if (door.person !== null) {
        if (this.#writer !== null && this.#writer !== door.person) {
          this.drafts.clear();
          this.texts.clear();
        }
        this.#writer = door.person;
      }
      this.door = door;
      this.doorError = null;
    } catch (error) {
      this.doorError = asKiezError(error);
    }
  }

  /** `mine`: I am the one who joins. */
  compare(group: string, code: string, mine: boolean) {
    const others = this.codes.filter((known) => known.code !== code);
    const known = others.length < this.codes.length;
    if (!known || mine) this.codes = [...others, { group, code, mine }];
  }
  compared(code: string) {
    this.codes = this.codes.filter((known) => known.code !== code);
  }

  /** Counts what is asked and done, to tell what came before. */
  turn() {
    return (this.#turn += 1);
  }
  /** An answer about this group that parts share. */
  answer<T>(name: string, ask: () => Promise<T>): Live<T> {
    const key = `${this.group} ${name}`;
    const known = this.#answers.get(key) as Live<T> | undefined;
    if (known) return known;
    const made = new Live(this, ask);
    this.#answers.set(key, made as Live<unknown>);
    return made;
  }
  /** Shows what I did in an answer, if it was asked for: see `own.ts`. */
  show<T>(name: string, change: (value: T) => T, group = this.group) {
    (this.#answers.get(`${group} ${name}`) as Live<T> | undefined)?.show(change);
  }
  /** Shows what I am doing, until its end is told. */
  hope<T>(name: string, change: (value: T) => T): () => void {
    return (this.#answers.get(`${this.group} ${name}`) as Live<T> | undefined)?.hope(change) ?? (() => undefined);
  }
  /** May I write in this group? Who was removed, or left, or sits at a computer that was retired, reads on. The frame asks it. */
  get writes(): boolean {
    return mayWrite(this.#council);
  }
  /** Has the council hidden this idea? */
  hides(idea: string): boolean {
    return hiddenBy(this.#council, { what: 'idea', id: idea }) !== null;
  }
  get #council(): Council | undefined {
    return (this.#answers.get(`${this.group} council`) as Live<Council> | undefined)?.value;
  }
  get me(): Person {
    const name = this.door?.name ?? null;
    return { id: this.door?.person ?? '', name, initials: (name ?? '').split(/\s+/).map((word) => Array.from(word)[0] ?? '').slice(0, 2).join(''), me: true };
  }

  onNews(hear: (event: News | 'all') => void): () => void {
    this.#hearers.add(hear);
    return () => this.#hearers.delete(hear);
  }
  tell(event: News | 'all') {
    for (const hear of [...this.#hearers]) hear(event);
  }

  say(text: string) {
    // The same words twice are said twice.
    this.spoken = this.spoken === text ? `${text}\u00a0` : text;
  }
  /**
   * Gone to another place: what was only said was said there. A way back, and why something was not done, go along to one: who goes on
   * from there is about something else, and wants to see it whole.
   */
  gone() {
    const { notice } = this;
    if (notice && (notice === this.#along || !(notice.undo || notice.bad))) this.notice = null;
    this.#along = this.notice;
  }
  /** A line at the lower edge. With a way back it stays until the next action, or the next place but one. */
  note(text: string, undo: (() => void) | null = null, undoText = '') {
    this.notice = { text, bad: false, undo, undoText };
  }
  fail(text: string) {
    this.notice = { text, bad: true, undo: null, undoText: '' };
  }
}

export function provideKiez(kiez: Kiez): Kiez {
  return setContext(KEY, kiez);
}
export function useKiez(): Kiez {
  return getContext<Kiez>(KEY);
}
/** For tests: the context a part expects. */
export function contextOf(kiez: Kiez): Map<string, Kiez> {
  return new Map([[KEY, kiez]]);
}
