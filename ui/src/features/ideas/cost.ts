/** An amount as people write it: "291 350", "1.200,50", "1,200.50". Empty is none; `undefined` is no amount. */
export function readCost(text: string): number | null | undefined {
  const plain = text.replace(/[\s\u00a0\u202f'’]/g, '');
  if (plain === '') return null;
  const parts = /^(\d{1,3}(?:[.,]\d{3})+|\d+)(?:[.,](\d{1,2}))?$/.exec(plain);
  if (!parts) return undefined;
  const value = Number(`${(parts[1] ?? '').replace(/[.,]/g, '')}.${parts[2] ?? '0'}`);
  return Number.isFinite(value) && value < 1e12 ? value : undefined;
}

/** A place as map programs give it: "50.2603, 19.0563". */
export function readPlace(text: string): { lat: number; lon: number } | null | undefined {
  if (text.trim() === '') return null;
  const parts = /^\s*(-?\d{1,2}(?:\.\d+)?)\s*[,; ]\s*(-?\d{1,3}(?:\.\d+)?)\s*$/.exec(text);
  if (!parts) return undefined;
  const lat = Number(parts[1]);
  const lon = Number(parts[2]);
  return Math.abs(lat) <= 90 && Math.abs(lon) <= 180 ? { lat, lon } : undefined;
}
