import { getLocale, m } from './index';

const DAY = 86_400_000;
/** No calendar goes further. A time is its author's word, so it can be any number. */
const LAST = 8_640_000_000_000_000;
const told = (at: number) => Math.min(Math.max(at, 0), LAST);
const kept = new Map<string, Intl.DateTimeFormat>();
function format(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = getLocale() + JSON.stringify(options);
  let made = kept.get(key);
  if (!made) kept.set(key, (made = new Intl.DateTimeFormat(getLocale() === 'en' ? 'en-GB' : getLocale(), options)));
  return made;
}
const midnight = (at: number) => new Date(told(at)).setHours(0, 0, 0, 0);

export const clock = (at: number) => format({ hour: 'numeric', minute: '2-digit' }).format(told(at));
export const longDay = (at: number) => format({ weekday: 'long', day: 'numeric', month: 'long' }).format(told(at));

/** "today, 8:12", "yesterday, 21:05", "Monday, 9:15", "3 May", "3 May 2025". */
export function when(at: number, now = Date.now()): string {
  const days = Math.round((midnight(now) - midnight(at)) / DAY);
  if (days === 0) return m.today_at({ time: clock(at) });
  if (days === 1) return m.yesterday_at({ time: clock(at) });
  if (days > 1 && days < 7) return m.day_at({ day: format({ weekday: 'long' }).format(told(at)), time: clock(at) });
  return day(at, now);
}
export function day(at: number, now = Date.now()): string {
  const year = new Date(told(at)).getFullYear() !== new Date(now).getFullYear();
  // Day and month stay on one line.
  return format({ day: 'numeric', month: 'long', ...(year ? { year: 'numeric' } : {}) }).format(told(at)).replace(' ', '\u00a0');
}

/** Today as the calendar here says it, "YYYY-MM-DD". */
export function dateOf(at: number): string {
  const d = new Date(told(at));
  return `${d.getFullYear()}-${String(d.getMonth() + 1).padStart(2, '0')}-${String(d.getDate()).padStart(2, '0')}`;
}
export function isOverdue(due: string | null, now = Date.now()): boolean {
  return due !== null && due < dateOf(now);
}
export function dueText(due: string, now = Date.now()): string {
  const [y = 1970, mo = 1, d = 1] = due.split('-').map(Number);
  const at = new Date(y, mo - 1, d).getTime();
  const days = Math.round((at - midnight(now)) / DAY);
  if (days === 0) return m.due_today();
  if (days === 1) return m.due_tomorrow();
  const text = days > 1 && days < 7 ? format({ weekday: 'long' }).format(told(at)) : day(at, now);
  return days < 0 ? m.due_was({ day: text }) : m.due_by({ day: text });
}

const numbers = new Map<string, Intl.NumberFormat>();
/** Thousands parted by a full no-break space, in every language. */
export function money(amount: number): string {
  let figures = numbers.get(getLocale());
  if (!figures) numbers.set(getLocale(), (figures = new Intl.NumberFormat(getLocale(), { maximumFractionDigits: 2 })));
  return figures
    .formatToParts(amount)
    .map((part) => (part.type === 'group' ? '\u00a0' : part.value))
    .join('');
}

/** How large a file is, in millions of bytes. */
export const megabytes = (bytes: number): string => money(Math.max(0.1, Math.round(bytes / 100_000) / 10));

/** "Anna", "Anna and Ben", "Anna, Ben and 3 others". */
export function several(names: string[], shown = 2): string {
  if (names.length <= 1) return names[0] ?? '';
  if (names.length <= shown) return m.and({ first: names.slice(0, -1).join(', '), last: names.at(-1) ?? '' });
  return m.and_others({ names: names.slice(0, shown).join(', '), count: names.length - shown });
}
