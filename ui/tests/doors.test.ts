import { fireEvent, screen, waitFor, within } from '@testing-library/svelte';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { size } from '../src/lib/look.svelte';
import { goTo, long, open, places } from './open';

beforeAll(places, 60_000);
vi.setConfig({ testTimeout: 20_000 });
const guest = { id: 'n1', name: 'Neu Gast', role: 'member', devices: 1, behind: null, contact: null, near: false } as const;

describe('digits to compare', () => {
  it('stand in every place until somebody says that they were compared', async () => {
    const { backend } = await open('#/ideas');
    await screen.findByRole('searchbox', {}, long);
    backend.otherJoins(guest, '575 392');
    expect((await screen.findByText('575 392')).closest('[role=status]')).toBeTruthy();
    for (const place of ['today', 'decisions/e1', 'tasks', 'people', 'settings', 'start']) {
      goTo(`#/${place}`);
      await waitFor(() => expect(document.querySelector('main h1')).toBeTruthy(), long);
      expect(screen.getByText('575 392')).toBeTruthy();
    }
    backend.otherJoins({ ...guest, id: 'n2' }, '111 222');
    await screen.findByText('111 222');
    await fireEvent.click(screen.getAllByRole('button', { name: 'Verglichen' })[0] as HTMLElement);
    expect(screen.queryByText('575 392')).toBeNull();
    expect(screen.getByText('111 222')).toBeTruthy();
  });
  it('go with who joins, and are shown once', async () => {
    await open('#/start', { size: 'empty' });
    await fireEvent.input(await screen.findByLabelText(/^Einladung/, {}, long), { target: { value: 'KIEZ1 abc\n def' } });
    await screen.findByText(/Das ist eine gute Einladung/);
    await fireEvent.click(screen.getByRole('button', { name: 'Beitreten' }));
    expect(await screen.findByRole('heading', { name: 'Zawodzie', level: 1 }, long)).toBeTruthy();
    expect(screen.getAllByText('575 392')).toHaveLength(1);
    expect(screen.getByText(/Vergleichen Sie mit dem Gerät, das Sie eingeladen hat/)).toBeTruthy();
    // Said when going: it belongs where one comes to.
    expect(screen.getByText(/Sie sind jetzt in/, { selector: '.toast *' })).toBeTruthy();
  });
});

describe('the example neighbourhood', () => {
  it('says in every place that it is one, and how to leave it', async () => {
    await open('#/today', { state: 'new' });
    await fireEvent.click(await screen.findByRole('button', { name: 'Beispiel ansehen' }, long));
    expect(await screen.findByRole('heading', { name: 'Zawodzie', level: 1 }, long)).toBeTruthy();
    for (const place of ['ideas/03', 'decisions/e1', 'settings', 'start']) {
      goTo(`#/${place}`);
      expect(within(screen.getByRole('region', { name: 'Beispiel' })).getByText(/Nur ein Beispiel/)).toBeTruthy();
    }
    await fireEvent.click(screen.getByRole('button', { name: 'Beispiel verlassen' }));
    expect(await screen.findByText('Wer sind Sie?', {}, long)).toBeTruthy();
    expect(screen.queryByText(/Nur ein Beispiel/)).toBeNull();
  });
  it('that cannot be shown says why', async () => {
    const { backend } = await open('#/today', { state: 'new' });
    backend.fails.set('example', 'disk-full');
    await fireEvent.click(await screen.findByRole('button', { name: 'Beispiel ansehen' }, long));
    expect(await screen.findByText(/Der Speicher ist voll/)).toBeTruthy();
  });
});

describe('several groups', () => {
  it('are chosen in the rail and, on a phone, under "more"; each shows its own', async () => {
    await open('#/more', { size: 'two' });
    await fireEvent.click(await screen.findByRole('link', { name: /Rawa-Ufer/ }, long));
    goTo('#/today');
    expect(await screen.findByRole('heading', { name: 'Rawa-Ufer', level: 1 }, long)).toBeTruthy();
    goTo('#/ideas');
    expect(await screen.findByText(/Noch gibt es keine Idee/, {}, long)).toBeTruthy();
    await fireEvent.change(screen.getByLabelText('Gruppe wählen'), { target: { value: '00ff' } });
    goTo('#/ideas');
    expect(await screen.findByRole('heading', { name: /^9 Ideen/ }, long)).toBeTruthy();
  });
});

describe('myself', () => {
  it('name, passphrase and lock', async () => {
    const { backend } = await open('#/settings');
    const name = (await screen.findByLabelText(/^Ihr Name/, {}, long)) as HTMLInputElement;
    await fireEvent.input(name, { target: { value: 'Basia' } });
    await fireEvent.submit(name.form as HTMLFormElement);
    expect(await screen.findAllByText('Basia', {}, long)).not.toHaveLength(0);
    const old = screen.getByLabelText('Der Satz bis jetzt') as HTMLInputElement;
    await fireEvent.input(old, { target: { value: 'falsch' } });
    await fireEvent.input(screen.getByLabelText(/^Der neue Satz/), { target: { value: 'fünf graue gänse' } });
    await fireEvent.submit(old.form as HTMLFormElement);
    expect(await screen.findByText(/Der Satz stimmt nicht/)).toBeTruthy();
    await fireEvent.input(old, { target: { value: 'vier kleine katzen tanzen' } });
    await fireEvent.submit(old.form as HTMLFormElement);
    expect(await screen.findByText('Ab jetzt gilt der neue Satz.')).toBeTruthy();
    await fireEvent.click(screen.getByRole('button', { name: 'Jetzt zuschließen' }));
    await fireEvent.input(await screen.findByLabelText('Ihr geheimer Satz', {}, long), { target: { value: 'fünf graue gänse' } });
    await fireEvent.click(screen.getByRole('button', { name: 'Öffnen' }));
    expect(await screen.findByLabelText(/^Ihr Name/, {}, long)).toBeTruthy();
    expect(backend.log.filter((entry) => 'act' in entry).map((entry) => ('act' in entry ? entry.act : ''))).toEqual(['name', 'passphrase', 'passphrase', 'lock', 'unlock']);
  });
  it('language and the size of letters, at once and without losing what was begun', async () => {
    await open('#/ideas/09');
    await fireEvent.input(await screen.findByLabelText('Ihr Kommentar', {}, long), { target: { value: 'Angefangen' } });
    goTo('#/settings');
    await fireEvent.click(await screen.findByRole('radio', { name: 'Sehr groß' }, long));
    expect(document.documentElement.dataset['text']).toBe('200');
    expect(size()).toBe(200);
    await fireEvent.click(screen.getByRole('radio', { name: 'English' }));
    expect(await screen.findByRole('heading', { name: 'Settings', level: 1 }, long)).toBeTruthy();
    expect(document.documentElement.lang).toBe('en');
    goTo('#/ideas/09');
    expect(((await screen.findByLabelText('Your comment', {}, long)) as HTMLTextAreaElement).value).toBe('Angefangen');
  });
});
