/**
 * How a test sees a page: as people do who hear it read, by roles and names. `look` and the others are sent into the page as text, so they name nothing
 * from outside; testing-library's `dom` was sent before them, which knows what role and name an element has.
 */

/** One thing on the page. */
export interface Wanted {
  /** A role of ARIA; or `summary` or `password` (a field for one), which have none. */
  role: string;
  /** The whole name, or its first words; or a pattern for it. Without: any. */
  name?: string | { pattern: string };
  /** Words that stand in the same row, part or dialog. */
  beside?: string;
  /** Is it to be brought into view? */
  bring?: boolean;
}

export interface Seen {
  name: string;
  text: string;
  value: string;
  checked: boolean;
  disabled: boolean;
  /** Where to press it. */
  x: number;
  y: number;
  /** Lies something else over that point? What? */
  covered: string | null;
}

interface Library {
  queryAllByRole(root: Element, role: string, options: { name: (name: string, element: Element) => boolean }): HTMLElement[];
}

/** `null`: the library is not there. */
export function look(wanted: Wanted): Seen[] | null {
  const library = (globalThis as unknown as { TestingLibraryDom?: Library }).TestingLibraryDom;
  if (!library) return null;
  // Without what turns directions, which nobody sees.
  const plain = (text: string) => text.replace(/[\u200e\u200f\u2066-\u2069]/g, '').replace(/\s+/g, ' ').trim();
  const names = new Map<Element, string>();
  let all: HTMLElement[];
  if (wanted.role === 'summary' || wanted.role === 'password') {
    const what = { summary: 'summary', password: 'input[type=password]' }[wanted.role];
    all = [...document.querySelectorAll<HTMLElement>(what)].filter((element) => element.checkVisibility());
    for (const element of all) names.set(element, plain(((element as HTMLInputElement).labels?.[0] ?? element).innerText));
  } else {
    all = library.queryAllByRole(document.body, wanted.role, { name: (name, element) => names.set(element, plain(name)) !== undefined });
  }
  const nameOf = (element: Element) => names.get(element) ?? '';
  if (typeof wanted.name === 'object') {
    const pattern = new RegExp(wanted.name.pattern, 'u');
    all = all.filter((element) => pattern.test(nameOf(element)));
  } else if (wanted.name !== undefined) {
    const name = plain(wanted.name);
    const whole = all.filter((element) => nameOf(element) === name);
    all = whole.length > 0 ? whole : all.filter((element) => nameOf(element).startsWith(`${name} `));
  }
  if (wanted.beside !== undefined) {
    const words = plain(wanted.beside);
    // The smallest part that holds both.
    const size = (element: Element): number => {
      for (let part: Element | null = element; part; part = part.parentElement) {
        const text = part.matches('li, section, form, article, fieldset, [role=dialog], main, body') ? plain(part.textContent ?? '') : '';
        if (text.includes(words)) return text.length;
      }
      return Infinity;
    };
    const sizes = new Map(all.map((element) => [element, size(element)]));
    const least = Math.min(...sizes.values());
    all = all.filter((element) => sizes.get(element) === least && least !== Infinity);
  }
  return all.map((element) => {
    if (wanted.bring) element.scrollIntoView({ block: 'center', behavior: 'instant' });
    const box = element.getClientRects()[0] ?? element.getBoundingClientRect();
    const [x, y] = [box.left + box.width / 2, box.top + box.height / 2];
    const top = document.elementFromPoint(x, y);
    const label = element.closest('label');
    const free = top !== null && (element.contains(top) || (label?.contains(top) ?? false));
    const field = element as HTMLInputElement;
    return {
      name: nameOf(element),
      text: plain(element.innerText),
      value: 'value' in field ? String(field.value) : '',
      checked: 'checked' in field ? field.checked : element.ariaChecked === 'true',
      disabled: 'disabled' in field ? field.disabled : false,
      x,
      y,
      covered: free ? null : plain(top?.outerHTML.slice(0, 120) ?? 'nothing'),
    };
  });
}

/** What can be read, without what turns directions. */
export function readAll(): string {
  return document.body.innerText.replace(/[\u200e\u200f\u2066-\u2069]/g, '').replace(/[^\S\n]+/g, ' ');
}

export interface Focus {
  role: string;
  name: string;
  /** Can it be seen where the focus is? */
  outlined: boolean;
  /** Is it within what is shown? */
  inView: boolean;
}

/** Where the focus is. */
export function focus(): Focus | null {
  const element = document.activeElement;
  if (!element || element === document.body) return null;
  const drawn = (of: Element | null) => {
    if (!of) return false;
    const style = getComputedStyle(of);
    return style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
  };
  const box = element.getBoundingClientRect();
  const label = (element as HTMLInputElement).labels?.[0] ?? null;
  return {
    role: element.getAttribute('role') ?? element.localName + ('type' in element && element.localName === 'input' ? `:${String(element.type)}` : ''),
    name: ((element.getAttribute('aria-label') ?? label?.textContent ?? element.textContent) || '').replace(/[\u2066-\u2069]/g, '').replace(/\s+/g, ' ').trim(),
    // A field that is drawn by its label shows the focus there.
    outlined: element.matches(':focus-visible') && [element, label, ...(label?.querySelectorAll('*') ?? [])].some(drawn),
    inView: box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth,
  };
}

/** Puts text in where the caret is, as pasting does. */
export function insert(text: string): boolean {
  return document.execCommand('insertText', false, text);
}

interface Axe {
  run(context: Document): Promise<{ violations: { id: string; help: string; nodes: { html: string; failureSummary?: string }[] }[] }>;
}

/** What axe finds. `null`: axe is not there. */
export async function violations(): Promise<string[] | null> {
  const { axe } = globalThis as unknown as { axe?: Axe };
  if (!axe) return null;
  const found = await axe.run(document);
  return found.violations.flatMap((rule) => rule.nodes.map((node) => `${rule.id}: ${rule.help}\n  ${node.html.slice(0, 200)}\n  ${node.failureSummary ?? ''}`));
}
