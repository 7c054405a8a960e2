import type { Backend, Link } from './backend';
import { asKiezError, KiezError } from './error';
import type { Action, News, Query } from './types';

/** How the server answers who does not come by its address: it was started anew since. */
const FORBIDDEN = 403;

/** The same page from the local server: JSON over POST, events as server-sent events. */
export class HttpBackend implements Backend {
  readonly #base: string;
  #link: Link = 'open';
  #tell: ((state: Link) => void) | null = null;
  #again: (() => void) | null = null;

  constructor(base = '') {
    this.#base = base;
  }

  ask(query: Query, stop?: AbortSignal) {
    return this.#post('/api/ask', query, stop);
  }
  act(action: Action) {
    return this.#post('/api/act', action);
  }

  async #post(path: string, body: Query | Action, stop?: AbortSignal): Promise<unknown> {
    let answer: Response;
    try {
      answer = await fetch(this.#base + path, {
        method: 'POST',
        credentials: 'same-origin',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
        ...(stop ? { signal: stop } : {}),
      });
    } catch {
      // Nobody there: say so, and let the events find out when somebody is again.
      this.#set('lost');
      this.#again?.();
      throw new KiezError('connection-lost');
    }
    return this.#read(answer);
  }

  async #read(answer: Response): Promise<unknown> {
    const text = await answer.text();
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
      const answer = await fetch(`${this.#base}/api/ask`, { method: 'POST', credentials: 'same-origin', headers: { 'content-type': 'application/json' }, body: '{"ask":"door"}' });
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
      source = new EventSource(`${this.#base}/api/events`);
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

  async copyOut(group: string) {
    let answer: Response;
    try {
      answer = await fetch(`${this.#base}/api/copy?group=${encodeURIComponent(group)}`, { credentials: 'same-origin' });
    } catch {
      this.#set('lost');
      throw new KiezError('connection-lost');
    }
    if (!answer.ok) await this.#read(answer);
    const name = /filename="?([^";]+)/.exec(answer.headers.get('content-disposition') ?? '')?.[1] ?? 'kiez.copy';
    return { bytes: await answer.blob(), name };
  }

  copyIn(file: Blob, progress: (done: number) => void) {
    // XMLHttpRequest, because fetch does not say how much was sent.
    return new Promise<void>((done, fail) => {
      const request = new XMLHttpRequest();
      request.open('POST', `${this.#base}/api/copy`);
      request.setRequestHeader('content-type', 'application/octet-stream');
      request.upload.onprogress = (step) => progress(step.lengthComputable ? step.loaded / step.total : 0);
      request.onerror = () => {
        this.#set('lost');
        fail(new KiezError('connection-lost'));
      };
      request.onload = () => {
        if (request.status < 400) return done();
        try {
          fail(asKiezError(JSON.parse(request.responseText)));
        } catch {
          fail(new KiezError('connection-lost'));
        }
      };
      request.send(file);
    });
  }
}
