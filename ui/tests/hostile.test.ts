import { fireEvent, screen, waitFor } from '@testing-library/svelte';
import { tick } from 'svelte';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { hostile, nasty } from '../src/lib/api/memory/hostile';
import { apart, said, tamed } from '../src/lib/words/said';
import { goTo, long, open, places } from './open';

beforeAll(places, 60_000);
vi.setConfig({ testTimeout: 40_000 });

/** Everything a person sees or hears of the page, but for what stands in fields to be written in. */
function* shown(root: Element): Generator<string> {
  const walk = document.createTreeWalker(root, NodeFilter.SHOW_TEXT | NodeFilter.SHOW_ELEMENT);
  for (let node: Node | null = walk.currentNode; node; node = walk.nextNode()) {
    if (node instanceof Text) {
      if (node.parentElement?.tagName !== 'TEXTAREA') yield node.data;
    } else if (node instanceof Element) {
      for (const name of ['aria-label', 'title', 'placeholder', 'alt']) yield node.getAttribute(name) ?? '';
    }
  }
}
function unhurt(root: Element) {
  expect('hurt' in window).toBe(false);
  expect(root.querySelector('img, script, iframe, object, embed, base, form[action], b b')).toBeNull();
  for (const element of root.querySelectorAll('*')) {
    for (const { name, value } of element.attributes) {
      expect(name).not.toMatch(/^on/);
      if (['href', 'src', 'action', 'formaction', 'xlink:href'].includes(name)) expect(value).toMatch(/^#(\/|main$)/);
    }
  }
  for (const text of [document.title, ...shown(root)]) {
    // Kiez's own isolates hold nothing that opens or closes one.
    const left = text.replace(/\u2068[^\u2066-\u2069]*\u2069/g, '');
    expect(left).not.toMatch(/[\u202a-\u202e\u2066-\u2069]/);
    expect(text).not.toMatch(/\p{M}{5}/u);
  }
  for (const control of root.querySelectorAll('a, button')) {
    const words = `${control.textContent ?? ''}${control.getAttribute('aria-label') ?? ''}`;
    expect(words).toMatch(/(?![\u115f\u2800\u3164])[\p{L}\p{N}\p{P}\p{S}]/u);
  }
}

describe('whatever others write', () => {
  const everywhere = [
    'today', 'ideas', ...nasty.map((_, n) => `ideas/i${n}`), 'ideas/history:i5', 'ideas/new', 'decisions', 'decisions/v0', 'decisions/v1', 'decisions/v2', 'decisions/v3', 'tasks', 'tasks/all', 'tasks/ideas',
    'people', 'people/motions', 'people/rules', 'people/h7', 'settings', 'more', 'start',
  ];
  it.each(everywhere)('is never markup, never a link, and turns nothing around: %s', async (place) => {
    const { container } = await open(`#/${place}`, { size: hostile() });
    await waitFor(() => expect(container.querySelectorAll('main h1')).toHaveLength(1), long);
    await tick();
    unhurt(document.body);
  });
  it('stands as it was written, letter by letter, where it can be read', async () => {
    const { container } = await open('#/ideas/i0', { size: hostile() });
    await waitFor(() => expect(container.querySelector('main h1 bdi')?.textContent).toBe(nasty[0]), long);
    const comments = () => [...container.querySelectorAll('.thread .read')].map((node) => node.textContent);
    await waitFor(() => expect(comments()).toHaveLength(nasty.length), long);
    for (const text of nasty.slice(0, 5)) expect(comments()).toContain(text);
  });
  it('in messages, in the search and in an invitation too', async () => {
    const { container } = await open('#/tasks/all', { size: hostile() });
    const boxes = await screen.findAllByRole('checkbox', {}, long);
    for (const box of boxes.slice(0, 12)) {
      await fireEvent.click(box);
      await waitFor(() => expect(container.querySelector('.toast')).toBeTruthy());
      unhurt(document.body);
    }
    goTo('#/ideas');
    await fireEvent.input(await screen.findByRole('searchbox', {}, long), { target: { value: 'e' } });
    await screen.findByRole('heading', { name: 'Auch gefunden' }, long);
    unhurt(document.body);
    goTo('#/people');
    await fireEvent.click(await screen.findByRole('button', { name: 'Jemanden einladen' }, long));
    await screen.findByText(/^kiez1/, {}, long);
    unhurt(document.body);
  });
  it('a name of mine that turns is tamed in my own places', async () => {
    const { backend } = await open('#/settings', { size: 'two' });
    const box = (await screen.findByLabelText(/^Ihr Name/, {}, long)) as HTMLInputElement;
    await fireEvent.input(box, { target: { value: '\u2069\u202eanna' } });
    await fireEvent.submit(box.form as HTMLFormElement);
    await waitFor(() => expect(backend.log).toContainEqual({ act: 'name', name: '\u2069\u202eanna' }));
    await waitFor(() => expect(screen.getAllByText('anna').length).toBeGreaterThan(0), long);
    unhurt(document.body);
  });
});

describe('words of others', () => {
  it('what turns is left out, what is only a mark of direction stays', () => {
    expect(tamed('a\u2069\u202eb\u2067c\u202cd')).toBe('abcd');
    expect(tamed('عربي\u200f!')).toBe('عربي\u200f!');
    expect(tamed(`e${'\u0301'.repeat(9)}`)).toBe(`e${'\u0301'.repeat(4)}`);
  });
  it('where nothing can be seen, that is said', () => {
    for (const empty of ['', '  ', '\u200b\u2060', '\u3164', '\u202e']) expect(said(empty)).toBe('(nichts zu lesen)');
    expect(said('\u200bx')).toBe('\u200bx');
  });
  it('within a sentence they are held by an isolate that they cannot close', () => {
    expect(apart('a\u2069b')).toBe('\u2068ab\u2069');
  });
});
