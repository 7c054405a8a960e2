/** Where the page is: what stands behind the # of the address. */
export const places = ['today', 'ideas', 'decisions', 'tasks', 'people', 'settings', 'more', 'start'] as const;
export type PlaceName = (typeof places)[number];

export interface Route {
  readonly place: PlaceName;
  readonly id: string | null;
}

export function parse(hash: string): Route {
  const [place = '', id = ''] = hash.replace(/^#\/?/, '').split('/');
  const known = places.find((name) => name === place);
  let plain: string | null = null;
  try {
    plain = id === '' ? null : decodeURIComponent(id);
  } catch {
    plain = null;
  }
  return { place: known ?? 'today', id: known ? plain : null };
}

export const to = (place: PlaceName, id?: string) => (id === undefined ? `#/${place}` : `#/${place}/${encodeURIComponent(id)}`);

/** Where the reader was on a page: how far down, and at which link, so far below the window's edge. */
export interface Spot {
  y: number;
  link: string | null;
  below: number;
}

class Where {
  now = $state.raw<Route>(parse(globalThis.location?.hash ?? ''));
  /** Come back to: where the reader was when they went on. `null`: come to. */
  back: Spot | null = null;
  /** Led here by something that was done, not gone here: what is said about it belongs here. */
  led = false;
  readonly #spots = new Map<number, Spot>();
  #entry = 0;
  #entries = 0;
  #leading = false;

  constructor() {
    if (globalThis.history === undefined) return;
    // The pages ask before they show: only they know when there is enough to scroll.
    history.scrollRestoration = 'manual';
    this.#entry = this.#entries = entryNow() ?? 0;
    history.replaceState({ kiez: this.#entry }, '');
    globalThis.addEventListener('hashchange', () => this.#gone());
  }
  lead(hash: string) {
    this.#leading = location.hash !== hash;
    location.hash = hash;
  }
  #gone() {
    const link = document.activeElement?.closest('main a');
    this.#spots.set(this.#entry, { y: globalThis.scrollY, link: link?.getAttribute('href') ?? null, below: link?.getBoundingClientRect().top ?? 0 });
    const known = entryNow();
    if (known === null) {
      this.#entry = this.#entries += 1;
      history.replaceState({ kiez: this.#entry }, '');
    } else this.#entry = known;
    this.led = this.#leading;
    this.#leading = false;
    const next = parse(globalThis.location.hash);
    if (next.place === this.now.place && next.id === this.now.id) return;
    this.back = known === null ? null : (this.#spots.get(known) ?? null);
    this.now = next;
  }
}
const entryNow = (): number | null => {
  const state: unknown = history.state;
  return typeof state === 'object' && state !== null && 'kiez' in state && typeof state.kiez === 'number' ? state.kiez : null;
};
export const where = new Where();

export function go(place: PlaceName, id?: string) {
  where.lead(to(place, id));
}
