/** What Kiez answers instead: a code that the pages have a text for, and what it is about. */
export class KiezError extends Error {
  readonly code: string;
  readonly about: string | null;
  constructor(code: string, about: string | null = null) {
    super(code);
    this.name = 'KiezError';
    this.code = code;
    this.about = about;
  }
}

/** Whatever was thrown, as a KiezError. What does not say a code came from the way, not from Kiez. */
export function asKiezError(what: unknown): KiezError {
  if (what instanceof KiezError) return what;
  if (typeof what === 'object' && what !== null && 'code' in what && typeof what.code === 'string') {
    const about = 'about' in what && typeof what.about === 'string' ? what.about : null;
    return new KiezError(what.code, about);
  }
  return new KiezError('connection-lost');
}
