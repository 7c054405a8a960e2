import { fireEvent, screen, waitFor } from '@testing-library/svelte';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { type Action, KiezError } from '../src/lib/api';
import type { MemoryBackend, Options } from '../src/lib/api/memory';
import { goTo, long, open, places } from './open';

beforeAll(places, 60_000);
vi.setConfig({ testTimeout: 20_000 });

const type = async (label: string | RegExp, value: string) => fireEvent.input(await screen.findByLabelText(label, {}, long), { target: { value } });
const button = (name: string | RegExp) => screen.findByRole('button', { name }, long);
/** Twice, before anything was answered: a double click, or Enter held down. */
async function twice(what: HTMLElement) {
  const form = what.closest('form');
  const press = () => (form && what.getAttribute('type') !== 'button' ? fireEvent.submit(form) : fireEvent.click(what));
  await Promise.all([press(), press(), press()]);
}
const count = (backend: MemoryBackend, act: Action['act']) => backend.log.filter((entry) => 'act' in entry && entry.act === act).length;

const cases: { act: Action['act']; at: string; options?: Options; begin: (backend: MemoryBackend) => Promise<HTMLElement> }[] = [
  { act: 'found', at: 'start', begin: async () => {
    await fireEvent.click(await button('Gruppe gründen'));
    await type(/^Name der Gruppe/, 'Rawa');
    return button('Gruppe gründen');
  } },
  { act: 'profile-new', at: 'today', options: { state: 'new' }, begin: async () => {
    await type(/^Ihr Name/, 'Ada');
    await type(/^Ein Satz/, 'vier kleine katzen');
    return button('Weiter');
  } },
  { act: 'restore', at: 'today', options: { state: 'new' }, begin: async () => {
    await fireEvent.click(await button('Rettungswörter eingeben'));
    await type(/24/, 'ribbon school');
    await type(/^Ihr Name/, 'Ada');
    await type(/^Ein neuer Satz/, 'vier kleine katzen');
    return button('Wiederherstellen');
  } },
  { act: 'unlock', at: 'today', options: { state: 'locked' }, begin: async () => {
    await type('Ihr geheimer Satz', 'vier kleine katzen tanzen');
    return button('Öffnen');
  } },
  { act: 'example', at: 'today', options: { state: 'new' }, begin: () => button('Beispiel ansehen') },
  { act: 'join', at: 'start', options: { size: 'empty' }, begin: async () => {
    await type(/^Einladung/, 'kiez1abc');
    await screen.findByText(/Das ist eine gute Einladung/);
    return button('Beitreten');
  } },
  { act: 'idea-add', at: 'ideas/new', begin: async () => {
    await type(/^Titel/, 'Bänke');
    return button('Idee aufschreiben');
  } },
  { act: 'comment', at: 'ideas/09', begin: async () => {
    await type('Ihr Kommentar', 'Ja!');
    return button('Kommentar dazugeben');
  } },
  { act: 'poll-open', at: 'ideas/09', begin: () => button('Abstimmung beginnen') },
  { act: 'idea-cost', at: 'ideas/09', begin: async () => {
    await fireEvent.click(await button('Kosten und Ort ändern'));
    await type('Kosten', '77');
    return button('Speichern');
  } },
  { act: 'idea-text', at: 'ideas/history:09', begin: async (backend) => {
    await screen.findByText('So steht es jetzt da.', {}, long);
    backend.other('09', 'body', () => 'Nur ein Bügel.');
    return button(/Diese Fassung wiederherstellen/);
  } },
  { act: 'task-add', at: 'tasks', begin: async () => {
    await fireEvent.click(await button('Neue Aufgabe'));
    await type('Was ist zu tun?', 'Schrauben kaufen');
    return button('Aufgabe hinzufügen');
  } },
  { act: 'task-take', at: 'tasks/all', begin: async () => (await screen.findAllByRole('button', { name: /^Ich übernehme das/ }, long))[0] as HTMLElement },
  { act: 'cast', at: 'decisions/e1', begin: async () => {
    await fireEvent.click(await screen.findByRole('radio', { name: /Ja/ }, long));
    return button('Stimmzettel abgeben');
  } },
  { act: 'poll-close', at: 'decisions/e1', begin: () => button('Jetzt beenden und auszählen') },
  { act: 'invite', at: 'people', begin: () => button(/Jemanden einladen/) },
  { act: 'name', at: 'settings', begin: async () => {
    await type(/^Ihr Name/, 'Basia');
    return button('Speichern');
  } },
  { act: 'passphrase', at: 'settings', begin: async () => {
    await type('Der Satz bis jetzt', 'vier kleine katzen tanzen');
    await type(/^Der neue Satz/, 'fünf graue gänse');
    return button('Satz ändern');
  } },
  { act: 'sign', at: 'people/motions', options: { size: 'council' }, begin: async () => (await screen.findAllByRole('button', { name: 'Unterschreiben' }, long))[0] as HTMLElement },
  { act: 'propose', at: 'people/a1', options: { size: 'council' }, begin: async () => {
    await screen.findByRole('heading', { level: 1, name: 'Jan Kosmala' }, long);
    await waitFor(() => expect(document.querySelector('main details')).toBeTruthy(), long);
    const fold = document.querySelector('main details') as HTMLDetailsElement;
    fold.open = true;
    await fireEvent(fold, new Event('toggle'));
    return button('Beantragen');
  } },
  { act: 'vouch', at: 'people', options: { size: 'council' }, begin: () => button(/^Ich kenne sie/) },
  { act: 'withdraw', at: 'people', options: { size: 'council' }, begin: () => button('Zurücknehmen') },
  { act: 'leave', at: 'people', begin: () => button(/Zawodzie.* jetzt verlassen/) },
  { act: 'device-retire', at: 'settings', begin: () => button('Es ist verloren: ausschließen') },
  { act: 'lock', at: 'settings', begin: () => button('Jetzt zuschließen') },
];

describe('what is pressed twice is done once', () => {
  it.each(cases.map((one) => [one.act, one] as const))('%s', async (act, { at, options, begin }) => {
    const { backend } = await open(`#/${at}`, { delay: 15, ...options });
    await twice(await begin(backend));
    await waitFor(() => expect(count(backend, act)).toBeGreaterThan(0), long);
    await new Promise((done) => setTimeout(done, 60));
    expect(count(backend, act)).toBe(1);
  });
  it.each([['is written', false], ['is refused', true]])('comment: left before the answer, it does not stand in the field again, unless it %s', async (_, refused) => {
    const { backend } = await open('#/ideas/09');
    const real = backend.act.bind(backend);
    let answer: () => void = () => undefined;
    const asked = new Promise<void>((go) => (answer = go));
    backend.act = async (action) => {
      if (action.act === 'comment') {
        await asked;
        if (refused) throw new KiezError('disk-full');
      }
      return real(action);
    };
    await type('Ihr Kommentar', 'Ja!');
    await fireEvent.click(await button('Kommentar dazugeben'));
    goTo('#/tasks');
    await screen.findByRole('heading', { level: 1, name: 'Aufgaben' }, long);
    if (refused) {
      answer();
      await new Promise((done) => setTimeout(done, 20));
    }
    goTo('#/ideas/09');
    const field = (await screen.findByLabelText('Ihr Kommentar', {}, long)) as HTMLTextAreaElement;
    expect(field.value).toBe(refused ? 'Ja!' : '');
    answer();
  });
  it('task-state: of two clicks on a tick the first counts', async () => {
    const { backend } = await open('#/tasks', { delay: 15 });
    const box = (await screen.findByRole('checkbox', { name: 'Aushang ins Treppenhaus hängen' }, long)) as HTMLInputElement;
    box.click();
    box.click();
    expect(box.checked).toBe(true);
    await screen.findByRole('button', { name: 'Rückgängig' }, long);
    expect(count(backend, 'task-state')).toBe(1);
  });
});
