import { fireEvent, screen, waitFor } from '@testing-library/svelte';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { goTo, long, open, places } from './open';

beforeAll(places, 60_000);
vi.setConfig({ testTimeout: 20_000 });
const PASSPHRASE = 'vier kleine katzen tanzen';
const type = async (label: RegExp, value: string) => fireEvent.input(await screen.findByLabelText(label, {}, long), { target: { value } });
const press = async (name: string) => fireEvent.click(await screen.findByRole('button', { name }, long));

describe('a second computer', () => {
  it('gets nothing before I have said that both show the same digits', async () => {
    const { backend } = await open('#/settings');
    await press('Zweiten Computer dazunehmen');
    await type(/^Ihr geheimer Satz/, 'falsch');
    await press('Weiter');
    expect(await screen.findByText(/stimmt nicht/)).toBeTruthy();
    await type(/^Ihr geheimer Satz/, PASSPHRASE);
    await press('Weiter');
    expect(await screen.findByText('kiezme1ajtrtr5dh')).toBeTruthy();
    expect(screen.queryByText('163 204')).toBeNull();
    backend.offers({ standing: 'asking', code: '163 204' });
    expect(await screen.findByText('163 204')).toBeTruthy();
    expect(backend.log.some((done) => 'act' in done && done.act === 'device-decide')).toBe(false);
    await press('Nein, andere');
    expect(await screen.findByText(/Ziffern sind verschieden/)).toBeTruthy();
    expect(backend.log.filter((done) => 'act' in done && done.act === 'device-decide')).toEqual([{ act: 'device-decide', agrees: false }]);
  });
  it('is made of a new one with the text that the first one shows', async () => {
    await open('#/today', { state: 'new' });
    await press('Gruppen holen');
    await type(/^Der Text von Ihrem ersten/, 'kiez1abc');
    await type(/^Ein neuer Satz/, 'noch ein satz');
    await press('Gruppen holen');
    expect(await screen.findByText(/Er beginnt mit kiezme1\.$/, { selector: '[role=alert] *' }, long)).toBeTruthy();
    await type(/^Der Text von Ihrem ersten/, 'KIEZME1 abc');
    await press('Gruppen holen');
    expect(await screen.findByRole('heading', { name: 'Zawodzie', level: 1 }, long)).toBeTruthy();
  });
});

describe('a backup', () => {
  it('is reminded of until there is one', async () => {
    const { backend } = await open('#/today', { size: 'alone' });
    expect(await screen.findByText('Für den Notfall vorsorgen', {}, long)).toBeTruthy();
    await backend.backup(PASSPHRASE);
    goTo('#/ideas');
    goTo('#/today');
    await screen.findByRole('heading', { name: 'Zawodzie', level: 1 }, long);
    await waitFor(() => expect(screen.queryByText('Für den Notfall vorsorgen')).toBeNull(), long);
  });
  it('that is none says so, and a good one opens', async () => {
    await open('#/today', { state: 'new' });
    await press('Sicherung öffnen');
    const choose = async (content: string) => {
      const field = await screen.findByLabelText<HTMLInputElement>('Datei der Sicherung', {}, long);
      await fireEvent.change(field, { target: { files: [new File([content], 'a.kiez-backup')] } });
    };
    await choose('%PDF');
    await type(/^Der geheime Satz, den Sie hatten/, PASSPHRASE);
    await press('Sicherung öffnen');
    expect(await screen.findByText(/keine Sicherung von Kiez/, {}, long)).toBeTruthy();
    await choose('KIEZBACK and more');
    await press('Sicherung öffnen');
    expect(await screen.findByRole('heading', { name: 'Zawodzie', level: 1 }, long)).toBeTruthy();
  });
});

describe('a locked profile', () => {
  it('keeps what was begun, and shows it where it was', async () => {
    const { backend } = await open('#/ideas/new');
    await type(/^Titel/, 'Eine Bank am Bach');
    await backend.act({ act: 'lock' });
    await type(/^Ihr geheimer Satz/, PASSPHRASE);
    expect(document.body.textContent).not.toContain('Eine Bank am Bach');
    await press('Öffnen');
    await waitFor(() => expect(screen.getByDisplayValue('Eine Bank am Bach')).toBeTruthy(), long);
  });
  it('is told that I am here by what I do, and not too often', async () => {
    const { backend } = await open('#/today');
    await screen.findByRole('heading', { name: 'Zawodzie', level: 1 }, long);
    const told = () => backend.log.filter((done) => 'act' in done && done.act === 'active').length;
    expect(told()).toBe(0);
    for (const key of 'abc') await fireEvent.keyDown(document.body, { key });
    expect(told()).toBe(1);
  });
});

it('a profile is erased only by who types that they mean it', async () => {
  const { backend } = await open('#/settings');
  const now = await screen.findByRole<HTMLButtonElement>('button', { name: 'Jetzt löschen' }, long);
  expect(now.disabled).toBe(true);
  await type(/^Schreiben Sie zum Bestätigen/, 'Löschen');
  await waitFor(() => expect(now.disabled).toBe(false));
  await fireEvent.click(now);
  expect(await screen.findByText('Wer sind Sie?', {}, long)).toBeTruthy();
  expect(backend.log).toContainEqual({ act: 'erase' });
});
