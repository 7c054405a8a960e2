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
  it('an answer that is no JSON is a lost line, not a crash', async () => {
    vi.stubGlobal('fetch', vi.fn(async () => new Response('<html>', { status: 502 })));
    await expect(new HttpBackend().ask({ ask: 'door' })).rejects.toMatchObject({ code: 'connection-lost' });
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
