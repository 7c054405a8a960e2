import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { HttpBackend } from '../src/lib/api/http';

class Source {
  static all: Source[] = [];
  static CLOSED = 2;
  readyState = 0;
  onopen: (() => void) | null = null;
  onmessage: ((m: { data: string }) => void) | null = null;
  onerror: (() => void) | null = null;
  readonly url: string;
  constructor(url: string) {
    this.url = url;
    Source.all.push(this);
  }
  close() {
    this.readyState = Source.CLOSED;
  }
}
/** A file that is being sent. */
class Sending {
  static last: Sending;
  status = 0;
  responseText = '';
  upload: Record<string, unknown> = {};
  onload = () => undefined;
  onerror = () => undefined;
  onabort = () => undefined;
  constructor() {
    Sending.last = this;
  }
  open() {}
  setRequestHeader() {}
  send() {}
  abort() {
    this.onabort();
  }
  end(status: number, text: string) {
    this.status = status;
    this.responseText = text;
    this.onload();
  }
}
const never = new AbortController().signal;
const answer = (status: number, body: unknown) => new Response(body === undefined ? '' : JSON.stringify(body), { status });

describe('the local server', () => {
  beforeEach(() => {
    vi.useFakeTimers();
    Source.all = [];
    vi.stubGlobal('EventSource', Source);
    vi.stubGlobal('fetch', vi.fn(async () => Promise.reject(new TypeError('nobody there'))));
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });
  it('says the code of an error, never its message', async () => {
    vi.stubGlobal('fetch', vi.fn(async () => answer(403, { code: 'not-allowed', about: null, message: 'x' })));
    await expect(new HttpBackend().ask({ ask: 'door' })).rejects.toMatchObject({ code: 'not-allowed' });
  });
  it('shows the pass that came with its address, and the address does not keep it', async () => {
    const sent: (string | null)[] = [];
    vi.stubGlobal('fetch', vi.fn(async (_: string, init: RequestInit) => {
      sent.push(new Headers(init.headers).get('kiez-pass'));
      return answer(200, {});
    }));
    location.hash = '#pass=0123abcd';
    const backend = new HttpBackend();
    expect(location.hash).not.toContain('0123abcd');
    await backend.ask({ ask: 'door' });
    await backend.act({ act: 'lock' });
    backend.listen(() => undefined, () => undefined)();
    expect(Source.all[0]?.url).toBe('/api/events?pass=0123abcd');
    // Another tab, or the same one loaded anew.
    await new HttpBackend().ask({ ask: 'door' });
    expect(sent).toEqual(['0123abcd', '0123abcd', '0123abcd']);
    localStorage.clear();
  });
  it('an answer that is no JSON is a lost line, not a crash', async () => {
    vi.stubGlobal('fetch', vi.fn(async () => new Response('<html>', { status: 502 })));
    await expect(new HttpBackend().ask({ ask: 'door' })).rejects.toMatchObject({ code: 'connection-lost' });
  });
  it('too much is said as that: a file that is too large, a text that is too long', async () => {
    vi.stubGlobal('fetch', vi.fn(async () => new Response('length limit exceeded', { status: 413 })));
    const backend = new HttpBackend();
    await expect(backend.act({ act: 'comment', group: '00', id: '01', text: 'x' })).rejects.toMatchObject({ code: 'does-not-fit' });
    await expect(backend.copyOut('00', () => undefined, never)).rejects.toMatchObject({ code: 'too-large' });
    vi.stubGlobal('XMLHttpRequest', Sending);
    const copied = backend.copyIn(new Blob(['x']), () => undefined, never);
    Sending.last.end(413, 'Failed to buffer the request body: length limit exceeded');
    await expect(copied).rejects.toMatchObject({ code: 'too-large' });
    // It may hang up while the file is still being sent.
    const links: string[] = [];
    const stop = backend.listen(() => undefined, (state) => links.push(state));
    const cut = backend.copyIn({ size: 300 * 1024 * 1024 } as Blob, () => undefined, never);
    Sending.last.onerror();
    await expect(cut).rejects.toMatchObject({ code: 'too-large' });
    expect(links).toEqual([]);
    const lost = backend.copyIn(new Blob(['x']), () => undefined, never);
    Sending.last.onerror();
    await expect(lost).rejects.toMatchObject({ code: 'connection-lost' });
    expect(links).toEqual(['lost']);
    stop();
  });
  it('other refusals of a copy keep their code', async () => {
    vi.stubGlobal('XMLHttpRequest', Sending);
    const copied = new HttpBackend().copyIn(new Blob(['x']), () => undefined, never);
    Sending.last.end(422, '{"code":"copy"}');
    await expect(copied).rejects.toMatchObject({ code: 'copy' });
  });
  it('a copy says how much of it is carried over, and stops when it is to', async () => {
    const parts = [new Uint8Array(3), new Uint8Array(4)];
    const body = new ReadableStream<Uint8Array>({ pull: (to) => { const part = parts.shift(); if (part) to.enqueue(part); else to.close(); } });
    vi.stubGlobal('fetch', vi.fn(async () => new Response(body, { headers: { 'content-length': '7', 'content-disposition': 'attachment; filename="Zawodzie.kiez"' } })));
    const told: unknown[] = [];
    const made = await new HttpBackend().copyOut('00', (done, of) => told.push([done, of]), never);
    expect(made.name).toBe('Zawodzie.kiez');
    expect(made.bytes.size).toBe(7);
    expect(told).toEqual([[3, 7], [7, 7]]);

    const stop = new AbortController();
    vi.stubGlobal('fetch', vi.fn((_: string, { signal }: RequestInit) => new Promise((_done, fail) => signal?.addEventListener('abort', () => fail(new DOMException('', 'AbortError'))))));
    const out = new HttpBackend().copyOut('00', () => undefined, stop.signal);
    stop.abort();
    await expect(out).rejects.toMatchObject({ code: 'stopped' });

    vi.stubGlobal('XMLHttpRequest', Sending);
    const halt = new AbortController();
    const into = new HttpBackend().copyIn(new Blob(['x']), () => undefined, halt.signal);
    halt.abort();
    await expect(into).rejects.toMatchObject({ code: 'stopped' });
  });
  it('what I did is sent to its end when the page closes; what is asked is not, and what is too long for it goes as ever', async () => {
    const fetched = vi.fn<typeof fetch>(async () => answer(200, null));
    vi.stubGlobal('fetch', fetched);
    const backend = new HttpBackend();
    await backend.act({ act: 'comment', group: '00', id: '01', text: 'kurz' });
    await backend.act({ act: 'comment', group: '00', id: '01', text: 'ß'.repeat(10_000) });
    await backend.ask({ ask: 'door' });
    expect(fetched.mock.calls.map(([, init]) => init?.keepalive)).toEqual([true, false, false]);
  });
  it('says that the line is lost, tries again, each time later, and says when it is open', async () => {
    const links: string[] = [];
    const news: unknown[] = [];
    const stop = new HttpBackend().listen((e) => news.push(e), (s) => links.push(s));
    Source.all[0]?.onopen?.();
    Source.all[0]?.onmessage?.({ data: '{"event":"contacts"}' });
    Source.all[0]?.onmessage?.({ data: 'no json' });
    Source.all[0]?.onerror?.();
    expect(links).toEqual(['lost']);
    await vi.advanceTimersByTimeAsync(250);
    Source.all[1]?.onerror?.();
    await vi.advanceTimersByTimeAsync(499);
    expect(Source.all).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(1);
    Source.all[2]?.onopen?.();
    expect(links).toEqual(['lost', 'open']);
    expect(news).toEqual([{ event: 'contacts' }]);
    stop();
    Source.all[2]?.onerror?.();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(Source.all).toHaveLength(3);
  });
  it('a Kiez that was started anew does not know this page: that is said, until it does', async () => {
    const links: string[] = [];
    const fetched = vi.fn(async () => new Response('Open the address that was printed.', { status: 403 }));
    vi.stubGlobal('fetch', fetched);
    const stop = new HttpBackend().listen(() => undefined, (s) => links.push(s));
    Source.all[0]?.onopen?.();
    Source.all[0]?.onerror?.();
    await vi.advanceTimersByTimeAsync(250);
    Source.all[1]?.onerror?.();
    await vi.advanceTimersByTimeAsync(100);
    expect(links).toEqual(['lost', 'anew']);
    fetched.mockRejectedValue(new TypeError('nobody there'));
    await vi.advanceTimersByTimeAsync(400);
    Source.all[2]?.onerror?.();
    await vi.advanceTimersByTimeAsync(0);
    expect(links).toEqual(['lost', 'anew', 'lost']);
    await vi.advanceTimersByTimeAsync(1000);
    Source.all[3]?.onopen?.();
    expect(links).toEqual(['lost', 'anew', 'lost', 'open']);
    stop();
  });
});
