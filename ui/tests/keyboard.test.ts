import { fireEvent, screen, waitFor, within } from '@testing-library/svelte';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { goTo, long, open, places } from './open';

beforeAll(places, 60_000);
vi.setConfig({ testTimeout: 20_000 });

const focused = (what: Element | null) => waitFor(() => expect(document.activeElement).toBe(what), long);
const spoken = () => [...document.querySelectorAll('[role=status]')].map((node) => node.textContent ?? '').join(' | ');
const main = () => document.querySelector('main');

describe('the focus goes where the reader goes', () => {
  it('to the new place, whose title is said; who just opened Kiez is left alone', async () => {
    await open('#/today');
    await screen.findByRole('link', { name: 'Jetzt abstimmen' }, long);
    expect(document.activeElement).toBe(document.body);
    goTo('#/ideas');
    await focused(main());
    await waitFor(() => expect(spoken()).toContain('Ideen – Kiez'), long);
    await screen.findByRole('link', { name: 'Zawodzie liest' }, long);
    goTo('#/ideas/06');
    await waitFor(() => expect(spoken()).toContain('Zawodzie liest – Kiez'), long);
    await focused(main());
  });
  it('past the rail, with the first key', async () => {
    const { container } = await open('#/ideas');
    await screen.findByRole('searchbox', {}, long);
    const first = container.ownerDocument.querySelector('a, button, input, select, textarea');
    expect(first?.textContent).toBe('Zum Inhalt');
    await fireEvent.click(first as Element);
    await focused(main());
  });
  it('back: to the link by which it was left', async () => {
    await open('#/ideas');
    const link = await screen.findByRole('link', { name: 'Zawodzie liest' }, long);
    link.focus();
    link.click();
    await screen.findByRole('heading', { name: /Zawodzie liest/, level: 1 }, long);
    history.back();
    await waitFor(() => expect(document.activeElement?.getAttribute('href')).toBe('#/ideas/06'), long);
  });
  it('through the door: from the profile to the next step, from the passphrase to the group', async () => {
    await open('#/today', { state: 'locked' });
    await fireEvent.input(await screen.findByLabelText('Ihr geheimer Satz', {}, long), { target: { value: 'vier kleine katzen tanzen' } });
    await fireEvent.click(screen.getByRole('button', { name: 'Öffnen' }));
    await screen.findByRole('heading', { name: 'Zawodzie', level: 1 }, long);
    await focused(main());
  });
  it('from the new profile to the top of the next page, however far down its button stood', async () => {
    await open('#/today', { state: 'new' });
    await fireEvent.input(await screen.findByLabelText(/Ihr Name/, {}, long), { target: { value: 'Samir' } });
    await fireEvent.input(screen.getByLabelText(/Ein Satz, den nur Sie kennen/), { target: { value: 'vier kleine katzen' } });
    const top = vi.spyOn(window, 'scrollTo');
    await fireEvent.click(screen.getByRole('button', { name: 'Weiter' }));
    await screen.findByRole('button', { name: 'Gruppe gründen' }, long);
    await focused(main());
    expect(top).toHaveBeenCalledWith(0, 0);
    top.mockRestore();
  });
});

describe('what is opened takes the focus, and gives it back', () => {
  it('a new task; Escape closes', async () => {
    await open('#/tasks');
    const button = await screen.findByRole('button', { name: 'Neue Aufgabe' }, long);
    await fireEvent.click(button);
    await focused(screen.getByLabelText('Was ist zu tun?'));
    await fireEvent.keyDown(window, { key: 'Escape' });
    await focused(button);
    expect(screen.queryByLabelText('Was ist zu tun?')).toBeNull();
  });
  it('the text, and cost and place', async () => {
    await open('#/ideas/09');
    await fireEvent.click(await screen.findByRole('button', { name: 'Mitschreiben' }, long));
    await focused(screen.getByLabelText('Text'));
    await fireEvent.click(screen.getByRole('button', { name: 'Fertig' }));
    await waitFor(() => expect(document.activeElement?.textContent).toBe('Mitschreiben'));
    await fireEvent.click(screen.getByRole('button', { name: 'Kosten und Ort ändern' }));
    await focused(screen.getByLabelText(/^Kosten/));
    await fireEvent.keyDown(window, { key: 'Escape' });
    await focused(screen.getByRole('button', { name: 'Kosten und Ort ändern' }));
  });
  it('one more option of a vote', async () => {
    await open('#/ideas/09');
    await fireEvent.click(await screen.findByLabelText('Mehrere ankreuzen', {}, long));
    await fireEvent.click(screen.getByRole('button', { name: 'Noch eine Möglichkeit' }));
    await focused(screen.getByLabelText('Möglichkeit 3'));
  });
  it('an invitation', async () => {
    await open('#/people');
    await fireEvent.click(await screen.findByRole('button', { name: 'Jemanden einladen' }, long));
    await waitFor(() => expect(document.activeElement?.textContent).toContain('Kommen Sie dazu!'));
  });
  it('the recovery words, in a dialog that Escape closes', async () => {
    await open('#/settings');
    const button = await screen.findByRole('button', { name: 'Rettungswörter anzeigen' }, long);
    button.focus();
    await fireEvent.click(button);
    const dialog = await screen.findByRole('dialog', { name: 'Rettungswörter' }, long);
    await waitFor(() => expect(dialog.contains(document.activeElement)).toBe(true));
    expect(document.activeElement).toBe(screen.getByLabelText('Ihr geheimer Satz'));
    await fireEvent.keyDown(document.activeElement as Element, { key: 'Escape' });
    await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull());
    await focused(button);
  });
  it('another language: the choice keeps it', async () => {
    await open('#/settings');
    await fireEvent.click(await screen.findByRole('radio', { name: 'English' }, long));
    await waitFor(() => expect((document.activeElement as HTMLInputElement).value).toBe('en'), long);
  });
});

describe('what was done can be undone from the keyboard', () => {
  it('a task done: the focus goes to the next one, Ctrl and Z brings it back, Escape closes the line', async () => {
    await open('#/tasks');
    const box = await screen.findByRole('checkbox', { name: 'Drei Angebote für Bänke einholen' }, long);
    box.focus();
    await fireEvent.click(box);
    await waitFor(() => expect((document.activeElement as HTMLInputElement).labels?.[0]?.textContent).toContain('Aushang ins Treppenhaus'));
    const undo = await screen.findByRole('button', { name: 'Rückgängig' });
    expect(undo.closest('[role=status]')).toBeTruthy();
    await fireEvent.keyDown(document.activeElement as Element, { key: 'z', ctrlKey: true });
    await waitFor(() => expect(within(document.querySelectorAll('main [role=list]')[0] as HTMLElement).getByText('Drei Angebote für Bänke einholen')).toBeTruthy(), long);
    await fireEvent.click(screen.getByRole('checkbox', { name: 'Aushang ins Treppenhaus hängen' }));
    await screen.findByRole('button', { name: 'Rückgängig' });
    await fireEvent.keyDown(document.body, { key: 'Escape' });
    await waitFor(() => expect(screen.queryByRole('button', { name: 'Rückgängig' })).toBeNull());
  });
  it('but within a text Ctrl and Z is the text\'s own', async () => {
    const { backend } = await open('#/ideas/03');
    await fireEvent.click(await screen.findByRole('checkbox', { name: 'Drei Angebote für Bänke einholen' }, long));
    await screen.findByRole('button', { name: 'Rückgängig' });
    await fireEvent.keyDown(screen.getByLabelText('Ihr Kommentar'), { key: 'z', ctrlKey: true });
    expect(screen.getByRole('button', { name: 'Rückgängig' })).toBeTruthy();
    expect(backend.log.filter((entry) => 'act' in entry && entry.act === 'task-state')).toHaveLength(1);
  });
  it('the keys stand in the settings', async () => {
    await open('#/settings');
    expect(await screen.findByText(/Strg \+ Z/, {}, long)).toBeTruthy();
  });
});

describe('what comes from others is said politely, what was there is not', () => {
  it('a comment', async () => {
    const { backend } = await open('#/ideas/03');
    await screen.findByText(/Apotheke/, {}, long);
    expect(spoken()).not.toContain('hat gerade etwas dazu gesagt');
    backend.otherSays('03', 'Ich auch.');
    await waitFor(() => expect(spoken()).toMatch(/Ben Adamek.* hat gerade etwas dazu gesagt/), long);
  });
  it('what I said is not said to me as news', async () => {
    await open('#/ideas/03');
    await fireEvent.input(await screen.findByLabelText('Ihr Kommentar', {}, long), { target: { value: 'Meins.' } });
    await fireEvent.click(screen.getByRole('button', { name: 'Kommentar dazugeben' }));
    await waitFor(() => expect(spoken()).toContain('Ihr Kommentar steht jetzt da.'), long);
    expect(spoken()).not.toContain('hat gerade etwas dazu gesagt');
  });
});
