import { fireEvent, screen, waitFor, within } from '@testing-library/svelte';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { language } from '../src/lib/language.svelte';
import { long, open, places } from './open';

beforeAll(places, 60_000);

describe('welcome', () => {
  it('a new profile, then a group, then the first things to do', async () => {
    await open('#/today', { state: 'new' });
    await fireEvent.input(await screen.findByLabelText(/Ihr Name/, {}, long), { target: { value: 'Samir' } });
    await fireEvent.input(screen.getByLabelText(/Ein Satz, den nur Sie kennen/), { target: { value: 'vier kleine katzen' } });
    await fireEvent.click(screen.getByRole('button', { name: 'Weiter' }));
    await fireEvent.click(await screen.findByRole('button', { name: 'Gruppe gründen' }, long));
    await fireEvent.input(screen.getByLabelText(/Name der Gruppe/), { target: { value: 'Rawa-Ufer' } });
    await fireEvent.click(screen.getByRole('button', { name: 'Gruppe gründen' }));
    expect(await screen.findByRole('heading', { name: 'Rawa-Ufer', level: 1 }, long)).toBeTruthy();
    expect(screen.getByText('Die erste Idee aufschreiben')).toBeTruthy();
  });
  it('a wrong passphrase says what to do', async () => {
    await open('#/today', { state: 'locked' });
    await fireEvent.input(await screen.findByLabelText('Ihr geheimer Satz', {}, long), { target: { value: 'falsch' } });
    await fireEvent.click(screen.getByRole('button', { name: 'Öffnen' }));
    expect((await screen.findByText(/Der Satz stimmt nicht/)).closest('[role=alert]')).toBeTruthy();
  });
  it('what is no invitation is said before joining', async () => {
    await open('#/start');
    await fireEvent.input(await screen.findByLabelText(/^Einladung/, {}, long), { target: { value: 'hallo' } });
    expect(await screen.findByText(/Das ist keine Einladung/)).toBeTruthy();
    await fireEvent.input(screen.getByLabelText(/^Einladung/), { target: { value: 'kiez1abc' } });
    expect(await screen.findByText(/Das ist eine gute Einladung/)).toBeTruthy();
  });
  it('an expired invitation says so', async () => {
    const { backend } = await open('#/start');
    backend.fails.set('join', 'invitation-expired');
    await fireEvent.input(await screen.findByLabelText(/^Einladung/, {}, long), { target: { value: 'kiez1abc' } });
    await screen.findByText(/Das ist eine gute Einladung/);
    await fireEvent.click(screen.getByRole('button', { name: 'Beitreten' }));
    expect(await screen.findByText(/Diese Einladung gilt nicht mehr/)).toBeTruthy();
  });
});

describe('places', () => {
  it('today: the vote I have not cast, my tasks, what is new', async () => {
    await open('#/today');
    expect(await screen.findByRole('link', { name: 'Jetzt abstimmen' }, long)).toBeTruthy();
    expect(screen.getByText('Aushang ins Treppenhaus hängen')).toBeTruthy();
    expect(screen.getByText('Gibt es auch Bücher auf Ukrainisch?')).toBeTruthy();
  });
  it('a lost line is said, and heals', async () => {
    const { backend } = await open('#/today');
    await screen.findByRole('link', { name: 'Jetzt abstimmen' }, long);
    backend.link('lost');
    expect(await screen.findByText(/Die Verbindung zu Kiez ist unterbrochen/)).toBeTruthy();
    backend.link('open');
    await waitFor(() => expect(screen.queryByText(/Die Verbindung zu Kiez/)).toBeNull());
  });
  it('ideas: found by search, with their costs; filtered', async () => {
    await open('#/ideas');
    const list = async () => within((await screen.findByRole('heading', { name: /\d Ideen?/ }, long)).parentElement?.nextElementSibling as HTMLElement).queryAllByRole('listitem');
    expect(await list()).toHaveLength(9);
    expect(screen.getByText('291 350')).toBeTruthy();
    await fireEvent.input(screen.getByRole('searchbox'), { target: { value: 'rawa' } });
    await waitFor(async () => expect(await list()).toHaveLength(1), long);
    await fireEvent.input(screen.getByRole('searchbox'), { target: { value: '' } });
    await fireEvent.click(screen.getByRole('button', { name: /^Fertig/ }));
    await waitFor(async () => expect(await list()).toHaveLength(1), long);
  });
  it('what another one writes shows at once', async () => {
    const { backend } = await open('#/ideas/09');
    await screen.findByText('Zwölf Bügel, überdacht.', {}, long);
    backend.other('09', 'body', (text) => `${text} Mit Licht.`);
    expect(await screen.findByText('Zwölf Bügel, überdacht. Mit Licht.')).toBeTruthy();
  });
  it('two write into one text: mine stays, the caret stays at its word', async () => {
    const { backend } = await open('#/ideas/09');
    await fireEvent.click(await screen.findByRole('button', { name: 'Mitschreiben' }, long));
    const box = (await screen.findByLabelText('Text')) as HTMLTextAreaElement;
    box.focus();
    box.value = 'Zwölf Bügel, rot, überdacht.';
    box.setSelectionRange(17, 17);
    await fireEvent.input(box);
    backend.other('09', 'body', (text) => `Bitte: ${text}`);
    await waitFor(() => expect(box.value).toBe('Bitte: Zwölf Bügel, rot, überdacht.'), long);
    expect(box.selectionStart).toBe(24);
    await waitFor(async () => expect(((await backend.ask({ ask: 'idea', group: '00ff', id: '09' })) as { body: { text: string } }).body.text).toBe(box.value), long);
  });
  it('a full disk while writing keeps what was typed, and says what to do', async () => {
    const { backend } = await open('#/ideas/09');
    await fireEvent.click(await screen.findByRole('button', { name: 'Mitschreiben' }, long));
    const box = (await screen.findByLabelText('Text')) as HTMLTextAreaElement;
    backend.fails.set('idea-text', 'disk-full');
    await fireEvent.input(box, { target: { value: 'Zehn Bügel' } });
    expect(await screen.findByText(/Der Speicher ist voll/, {}, long)).toBeTruthy();
    expect(box.value).toBe('Zehn Bügel');
    await waitFor(() => expect(screen.queryByText(/Der Speicher ist voll/)).toBeNull(), long);
  });
  it('a vote is cast and can be undone by casting again', async () => {
    const { backend } = await open('#/decisions/e1');
    await fireEvent.click(await screen.findByRole('radio', { name: /Ja/ }, long));
    await fireEvent.click(screen.getByRole('button', { name: 'Stimmzettel abgeben' }));
    await waitFor(() => expect(backend.log).toContainEqual({ act: 'cast', group: '00ff', poll: 'e1', answers: ['yes'] }));
  });
  it('a result in words, bars and six words to compare', async () => {
    await open('#/decisions/e3');
    expect(await screen.findByRole('heading', { name: 'Angenommen', level: 1 }, long)).toBeTruthy();
    for (const word of ['orchard', 'otter', '40718 20655 93312']) expect(screen.getByText(word)).toBeTruthy();
  });
  it('a task is done, and undone', async () => {
    const { backend } = await open('#/tasks');
    const box = await screen.findByRole('checkbox', { name: 'Aushang ins Treppenhaus hängen' }, long);
    await fireEvent.click(box);
    await fireEvent.click(await screen.findByRole('button', { name: 'Rückgängig' }));
    await waitFor(() => expect(backend.log.filter((x) => 'act' in x && x.act === 'task-state')).toHaveLength(2));
  });
  it('people and settings say who has what', async () => {
    await open('#/people');
    expect(await screen.findByText('Danuta Wrona', {}, long)).toBeTruthy();
    await fireEvent.click(screen.getByRole('button', { name: /Jemanden einladen/ }));
    expect(await screen.findByText(/^kiez1/)).toBeTruthy();
  });
  it('a damaged copy says what to do', async () => {
    const { backend, container } = await open('#/settings');
    await screen.findByText('Mit dem USB-Stick', {}, long);
    backend.fails.set('copy-in', 'copy');
    const input = container.querySelector('input[type=file]') as HTMLInputElement;
    await fireEvent.change(input, { target: { files: [new File(['x'], 'x.kiez')] } });
    expect(await screen.findByText(/Bitten Sie um eine neue Kopie/)).toBeTruthy();
  });
});

describe('every place in English too', () => {
  it.each(['today', 'ideas', 'ideas/03', 'ideas/history:03', 'ideas/new', 'decisions', 'decisions/e2', 'decisions/e4', 'tasks', 'tasks/all', 'tasks/ideas', 'people', 'people/motions', 'people/rules', 'people/d1', 'settings', 'more', 'start'])('%s', async (place) => {
    const { container } = await open(`#/${place}`);
    await language.choose('en');
    await waitFor(() => expect(container.querySelectorAll('main h1')).toHaveLength(1), long);
    expect(container.querySelectorAll('[role=alert] p')).toHaveLength(0);
    for (const control of container.querySelectorAll('button, a')) expect((control.textContent ?? '').trim() + (control.getAttribute('aria-label') ?? '')).not.toBe('');
    const ids = [...container.querySelectorAll('[id]')].map((node) => node.id);
    expect(new Set(ids).size).toBe(ids.length);
  });
});

vi.setConfig({ testTimeout: 20_000 });
