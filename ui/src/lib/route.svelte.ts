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

class Where {
  now = $state.raw<Route>(parse(globalThis.location?.hash ?? ''));
  constructor() {
    globalThis.addEventListener?.('hashchange', () => {
      this.now = parse(globalThis.location.hash);
    });
  }
}
export const where = new Where();

export function go(place: PlaceName, id?: string) {
  globalThis.location.hash = to(place, id);
}
