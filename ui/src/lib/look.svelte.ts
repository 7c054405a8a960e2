/** Light, dark, or with strong contrast; as the system says unless chosen here. */
export const looks = ['system', 'light', 'dark', 'contrast', 'contrast-dark'] as const;
export type Look = (typeof looks)[number];

export function look(): Look {
  const kept = globalThis.localStorage?.getItem('kiez-look');
  return looks.find((name) => name === kept) ?? 'system';
}
export function applyLook(next?: Look) {
  if (next !== undefined) localStorage.setItem('kiez-look', next);
  const wanted = new URLSearchParams(location.search).get('theme');
  const now = next ?? looks.find((name) => name === wanted) ?? look();
  if (now === 'system') delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = now;
}
