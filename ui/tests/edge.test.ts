import { fireEvent, screen, waitFor } from '@testing-library/svelte';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { pinned } from '../src/lib/parts/pinned';
import { m } from '../src/lib/words';
import { goTo, long, open, places } from './open';

beforeAll(places, 60_000);
vi.setConfig({ testTimeout: 20_000 });
afterEach(() => vi.restoreAllMocks());
const guest = { id: 'n1', name: 'Neu Gast', role: 'member', devices: 1, behind: null, contact: null, near: false } as const;

describe('what comes while one reads', () => {
  it('lies over the lower edge, beside the page and not within it: nothing is pushed away', async () => {
    const { backend } = await open('#/tasks');
    await fireEvent.click(await screen.findByRole('checkbox', { name: 'Aushang ins Treppenhaus hängen' }, long));
    backend.otherJoins(guest, '575 392');
    backend.link('lost');
    const edge = (await screen.findByText('575 392')).closest('.edge');
    expect(edge).toBeTruthy();
    expect((await screen.findByText(/Aushang/, { selector: '.toast *' })).closest('.edge')).toBe(edge);
    expect((await screen.findByText(m.link_lost())).closest('.edge')).toBe(edge);
    // Above the page stands only what was there from the first moment.
    expect(document.querySelector('.lines')?.childElementCount).toBe(0);
  });
  it('what was only said goes when one goes on; the way back goes along, until the next thing is done', async () => {
    await open('#/settings');
    const name = (await screen.findByLabelText(/^Ihr Name/, {}, long)) as HTMLInputElement;
    await fireEvent.submit(name.form as HTMLFormElement);
    await screen.findByText('Gespeichert.', { selector: '.toast *' });
    goTo('#/tasks');
    await waitFor(() => expect(document.querySelector('.toast')).toBeNull());
    await fireEvent.click(await screen.findByRole('checkbox', { name: 'Aushang ins Treppenhaus hängen' }, long));
    await screen.findByRole('button', { name: 'Rückgängig' });
    goTo('#/people');
    await fireEvent.click(await screen.findByRole('button', { name: /Jemanden einladen/ }, long));
    expect(await screen.findByText(/^kiez1/)).toBeTruthy();
    expect(screen.queryByRole('button', { name: 'Rückgängig' })).toBeNull();
    // And on to the next guest: the form is there again, and has the focus.
    await fireEvent.click(screen.getByRole('button', { name: 'Noch jemanden einladen' }));
    expect(document.activeElement).toBe(screen.getByRole('radio', { name: /^Mitglied/ }));
  });
  it('the way back goes along to one place, and covers no second one', async () => {
    await open('#/tasks');
    await fireEvent.click(await screen.findByRole('checkbox', { name: 'Aushang ins Treppenhaus hängen' }, long));
    await screen.findByRole('button', { name: 'Rückgängig' });
    goTo('#/people');
    await screen.findByRole('heading', { name: 'Menschen' }, long);
    expect(screen.getByRole('button', { name: 'Rückgängig' })).toBeTruthy();
    goTo('#/ideas');
    await waitFor(() => expect(document.querySelector('.toast')).toBeNull());
  });
  it('stands above what is pinned to the lower edge, wherever that is just now', () => {
    const part = document.createElement('div');
    const root = document.documentElement.style;
    const top = vi.spyOn(part, 'getBoundingClientRect');
    const at = (place: number) => top.mockReturnValue({ top: place } as DOMRect);
    at(innerHeight - 90);
    const stop = pinned(part);
    expect(root.getPropertyValue('--pinned')).toBe('90px');
    at(innerHeight - 200);
    window.dispatchEvent(new Event('scroll'));
    expect(root.getPropertyValue('--pinned')).toBe('200px');
    // High up, and below the window: nothing reaches it.
    for (const place of [10, innerHeight + 5]) {
      at(place);
      window.dispatchEvent(new Event('scroll'));
      expect(root.getPropertyValue('--pinned')).toBe('0px');
    }
    stop();
    expect(root.getPropertyValue('--pinned')).toBe('0px');
  });
  it('the ballot says where its button is, as long as it is shown', async () => {
    document.documentElement.style.removeProperty('--pinned');
    await open('#/decisions/e1');
    await screen.findByRole('button', { name: 'Stimmzettel abgeben' }, long);
    expect(document.documentElement.style.getPropertyValue('--pinned')).not.toBe('');
    goTo('#/tasks');
    await waitFor(() => expect(document.documentElement.style.getPropertyValue('--pinned')).toBe('0px'), long);
  });
});

describe('I, within a sentence', () => {
  it.each([['de', /^Von Ihnen\. /, /^Von Zofia Malik\. /], ['en', /^By you\. /, /^By Zofia Malik\. /]] as const)('%s', async (words, mine, hers) => {
    const plain = (text: string) => text.replace(/[\u2068\u2069]/g, '').trim();
    await open('#/ideas/01', {}, words);
    const line = async () => plain((await waitFor(() => { const found = document.querySelector('main header .quiet'); expect(found).toBeTruthy(); return found; }, long))?.textContent ?? '');
    expect(await line()).toMatch(mine);
    goTo('#/ideas/03');
    await waitFor(async () => expect(await line()).toMatch(hers), long);
  });
  it('stands small in English where other words come before it', async () => {
    await open('#/people', {}, 'en');
    expect(await screen.findByText('(you)', {}, long)).toBeTruthy();
  });
});
