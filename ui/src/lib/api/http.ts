import type { Backend, CopyProgress, Link } from './backend';
import { asKiezError, KiezError } from './error';
import type { Action, News, Query } from './types';

/** How the server answers who does not come by its address: it was started anew since. */
const FORBIDDEN = 403;

/** More than the server reads. It says so in plain words, or, where it stops reading in the middle, by hanging up. */
const TOO_LARGE = 413;
/** So many bytes of a copy are read (`BUNDLE_BYTES_MAX` of the core). Asked only to explain why a line broke. */
const COPY_MAX = 256 * 1024 * 1024;
/** The browser sends so much to its end when the page closes; of 64 kB in all. */
const TO_THE_END = 16_000;

/** What shows that this page came by the server's own address. Unlike a cookie it belongs to the port, too. */
const PASS = 'kiez-pass';

/** Takes it out of the address, where the server put it. */
function broughtPass(): string | null {
  const brought = /^#pass=([0-9a-f]+)$/.exec(location.hash)?.[1] ?? null;
  // Not to be seen in the address.
  if (brought !== null) history.replaceState(history.state, '', '#/');
  return brought;
}

/** The same page from the local server: JSON over POST, events as server-sent events. */
export class HttpBackend implements Backend {
  readonly stops = true;
  readonly #base: string;
  #brought = broughtPass();
  #link: Link = 'open';
  #tell: ((state: Link) => void) | null = null;
  #again: (() => void) | null = null;

  constructor(base = '') {
    this.#base = base;
  }

  /** What came with the address; else what is kept for this origin, for other tabs and after a reload. */
  get #pass(): string {
    if (this.#brought !== null) return this.#brought;
    try {
      return localStorage.getItem(PASS) ?? '';
    } catch {
      return '';
    }
  }
  /** Whether the pass is good is known from an answer. An old address must not put an old one over it. */
  #passed(status: number) {
    if (this.#brought === null) return;
    try {
      if (status !== FORBIDDEN) localStorage.setItem(PASS, this.#brought);
      this.#brought = null;
    } catch {
      /* Nothing can be kept: it serves as long as the page is there. */
    }
  }

  ask(query: Query, stop?: AbortSignal) {
    return this.#post('/api/ask', query, stop);
  }
  act(action: Action) {
    return this.#post('/api/act', action);
  }

  async #post(path: string, body: Query | Action, stop?: AbortSignal): Promise<unknown> {
    let answer: Response;
    const text = JSON.stringify(body);
    try {
      answer = await fetch(this.#base + path, {
        method: 'POST',
        credentials: 'same-origin',
        headers: { 'content-type': 'application/json', [PASS]: this.#pass },
        body: text,
        // What was typed just before the window closes arrives.
        keepalive: 'act' in body && new Blob([text]).size <= TO_THE_END,
        ...(stop ? { signal: stop } : {}),
      });
    } catch {
      // Nobody there: say so, and let the events find out when somebody is again.
      this.#set('lost');
      this.#again?.();
      throw new KiezError('connection-lost');
    }
    return this.#read(answer, 'does-not-fit');
  }

  /** `tooLarge`: what it means here that there was too much of it. */
  async #read(answer: Response, tooLarge: string): Promise<unknown> {
    this.#passed(answer.status);
    if (answer.status === TOO_LARGE) throw new KiezError(tooLarge);
    let text: string;
    try {
      text = await answer.text();
    } catch {
      this.#set('lost');
      throw new KiezError('connection-lost');
    }
    let json: unknown = null;
    try {
      json = text === '' ? null : JSON.parse(text);
    } catch {
      if (answer.ok) throw new KiezError('connection-lost');
    }
    if (!answer.ok) throw json === null ? new KiezError('connection-lost') : asKiezError(json);
    return json;
  }

  /** Why do no events come? They do not say it themselves. */
  async #knock(): Promise<Link> {
    try {
      const answer = await fetch(`${this.#base}/api/ask`, { method: 'POST', credentials: 'same-origin', headers: { 'content-type': 'application/json', [PASS]: this.#pass }, body: '{"ask":"door"}' });
      this.#passed(answer.status);
      return answer.status === FORBIDDEN ? 'anew' : 'lost';
    } catch {
      return 'lost';
    }
  }

  #set(state: Link) {
    if (this.#link === state) return;
    this.#link = state;
    this.#tell?.(state);
  }

  listen(news: (event: News) => void, link: (state: Link) => void) {
    this.#tell = link;
    let source: EventSource | null = null;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let wait = 250;
    let stopped = false;
    const open = () => {
      clearTimeout(timer);
      source?.close();
      if (stopped) return;
      source = new EventSource(`${this.#base}/api/events?pass=${this.#pass}`);
      source.onopen = () => {
        wait = 250;
        this.#set('open');
      };
      source.onmessage = (message: MessageEvent<string>) => {
        try {
          news(JSON.parse(message.data) as News);
        } catch {
          /* A line that is no JSON says nothing. */
        }
      };
      source.onerror = () => {
        source?.close();
        if (this.#link === 'open') this.#set('lost');
        void this.#knock().then((state) => {
          if (!stopped && this.#link !== 'open') this.#set(state);
        });
        timer = setTimeout(open, wait);
        wait = Math.min(wait * 2, 4000);
      };
    };
    this.#again = () => {
      if (source?.readyState !== EventSource.CLOSED) open();
    };
    const wake = () => {
      if (this.#link !== 'open') open();
    };
    globalThis.addEventListener('online', wake);
    globalThis.addEventListener('focus', wake);
    open();
    return () => {
      stopped = true;
      clearTimeout(timer);
      source?.close();
      this.#tell = null;
      this.#again = null;
      globalThis.removeEventListener('online', wake);
      globalThis.removeEventListener('focus', wake);
    };
  }

  async copyOut(group: string, progress: CopyProgress, stop: AbortSignal) {
    try {
      const answer = await fetch(`${this.#base}/api/copy?group=${encodeURIComponent(group)}`, { credentials: 'same-origin', headers: { [PASS]: this.#pass }, signal: stop });
      if (!answer.ok) await this.#read(answer, 'too-large');
      const name = /filename="?([^";]+)/.exec(answer.headers.get('content-disposition') ?? '')?.[1] ?? 'kiez.copy';
      const of = Number(answer.headers.get('content-length')) || null;
      const parts: Uint8Array<ArrayBuffer>[] = [];
      let done = 0;
      for (const reader = answer.body?.getReader(); reader; ) {
        const part = await reader.read();
        if (part.done) break;
        parts.push(part.value);
        progress((done += part.value.length), of);
      }
      return { bytes: new Blob(parts), name };
    } catch (failure) {
      if (stop.aborted) throw new KiezError('stopped');
      if (failure instanceof KiezError) throw failure;
      this.#set('lost');
      this.#again?.();
      throw new KiezError('connection-lost');
    }
  }

  /** A request whose answer or body is a file. */
  async #file(path: string, body: string | Blob, kind: string): Promise<Response> {
    let answer: Response;
    try {
      answer = await fetch(this.#base + path, { method: 'POST', credentials: 'same-origin', headers: { 'content-type': kind, [PASS]: this.#pass }, body });
    } catch {
      this.#set('lost');
      this.#again?.();
      throw new KiezError('connection-lost');
    }
    if (!answer.ok) await this.#read(answer, 'too-large');
    return answer;
  }
  async backup(passphrase: string) {
    const answer = await this.#file('/api/backup', JSON.stringify({ passphrase }), 'application/json');
    const name = /filename="?([^";]+)/.exec(answer.headers.get('content-disposition') ?? '')?.[1] ?? 'kiez.kiez-backup';
    return { bytes: await answer.blob(), name };
  }
  async recover(sent: Blob) {
    await this.#file('/api/recover', sent, 'application/octet-stream');
  }

  copyIn(file: Blob, progress: CopyProgress, stop: AbortSignal) {
    // XMLHttpRequest, because fetch does not say how much was sent.
    return new Promise<void>((done, fail) => {
      const request = new XMLHttpRequest();
      request.open('POST', `${this.#base}/api/copy`);
      request.setRequestHeader('content-type', 'application/octet-stream');
      request.setRequestHeader(PASS, this.#pass);
      request.upload.onprogress = (step) => progress(step.loaded, step.lengthComputable ? step.total : file.size);
      request.upload.onload = () => progress(file.size, file.size);
      request.onabort = () => fail(new KiezError('stopped'));
      request.onerror = () => {
        if (file.size > COPY_MAX) return fail(new KiezError('too-large'));
        this.#set('lost');
        this.#again?.();
        fail(new KiezError('connection-lost'));
      };
      request.onload = () => {
        if (request.status < 400) return done();
        if (request.status === TOO_LARGE) return fail(new KiezError('too-large'));
        try {
          fail(asKiezError(JSON.parse(request.responseText)));
        } catch {
          fail(new KiezError('connection-lost'));
        }
      };
      stop.addEventListener('abort', () => request.abort());
      request.send(file);
    });
  }
}
