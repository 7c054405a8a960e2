/** Light, dark, or with strong contrast; as the system says unless chosen here. And how large letters are. */
export const looks = ['system', 'light', 'dark', 'contrast', 'contrast-dark'] as const;
export type Look = (typeof looks)[number];
/** In percent of what the device says. */
export const sizes = [100, 125, 150, 200] as const;
export type Size = (typeof sizes)[number];

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

export function size(): Size {
  const kept = Number(globalThis.localStorage?.getItem('kiez-text'));
  return sizes.find((percent) => percent === kept) ?? 100;
}
export function applySize(next?: Size) {
  if (next !== undefined) localStorage.setItem('kiez-text', String(next));
  const now = next ?? size();
  document.documentElement.dataset['text'] = String(now);
  for (const sheet of document.styleSheets) narrow(sheet.cssRules, now / 100);
}

const written = new WeakMap<MediaList, string>();
/** Media queries count in the device's letters and know nothing of the page's: they are told, so that large letters get the narrow layout. */
function narrow(rules: CSSRuleList, factor: number) {
  for (const rule of rules) {
    if (!(rule instanceof CSSMediaRule)) continue;
    const first = written.get(rule.media) ?? rule.media.mediaText;
    written.set(rule.media, first);
    rule.media.mediaText = first.replace(/([\d.]+)em\b/g, (_, ems: string) => `${Number(ems) * factor}em`);
  }
}
