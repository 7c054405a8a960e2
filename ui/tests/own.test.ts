import { fireEvent, screen, waitFor, within } from '@testing-library/svelte';
import fc from 'fast-check';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { restore } from '../src/features/ideas/restore';
import { Client, type IdeaPage, type Query, type Version } from '../src/lib/api';
import { MemoryBackend } from '../src/lib/api/memory';
import { goTo, long, open, places } from './open';

beforeAll(places, 60_000);
vi.setConfig({ testTimeout: 20_000 });

/** From now on questions are answered only when they are let through. */
function hold(backend: MemoryBackend, name: Query['ask']) {
  const real = backend.ask.bind(backend);
  const held: (() => void)[] = [];
  let on = true;
  backend.ask = async (query) => {
    const answer = await real(query);
    if (on && query.ask === name) await new Promise<void>((go) => held.push(go));
    return answer;
  };
  return { held, release: () => { on = false; for (const go of held) go(); } };
}

/** From now on what is done is written down only when it is let through. */
function holdActs(backend: MemoryBackend) {
  const real = backend.act.bind(backend);
  let let_: () => void = () => undefined;
  const through = new Promise<void>((go) => { let_ = go; });
  backend.act = async (action) => {
    await through;
    return real(action);
  };
  return () => { let_(); };
}

describe('what I do shows while it is written down', () => {
  it('a comment: once, whatever others say and Kiez answers meanwhile', async () => {
    const { backend } = await open('#/ideas/03');
    const box = await screen.findByLabelText('Ihr Kommentar', {}, long);
    const release = holdActs(backend);
    await fireEvent.input(box, { target: { value: 'Von mir.' } });
    await fireEvent.click(screen.getByRole('button', { name: 'Kommentar dazugeben' }));
    expect(await screen.findByText('Von mir.', { selector: 'p' })).toBeTruthy();
    backend.otherSays('03', 'Von anderen.');
    expect(await screen.findByText('Von anderen.', { selector: 'p' }, long)).toBeTruthy();
    expect(screen.getAllByText('Von mir.', { selector: 'p' })).toHaveLength(1);
    release();
    await waitFor(() => expect(backend.log.some((entry) => 'act' in entry && entry.act === 'comment')).toBe(true));
    await screen.findByText('Ihr Kommentar steht jetzt da.', {}, long);
    expect(screen.getAllByText('Von mir.', { selector: 'p' })).toHaveLength(1);
  });
  it('a comment that could not be written down goes, and its words are in the field', async () => {
    const { backend } = await open('#/ideas/03');
    const box = await screen.findByLabelText('Ihr Kommentar', {}, long);
    const release = holdActs(backend);
    backend.fails.set('comment', 'disk-full');
    await fireEvent.input(box, { target: { value: 'Von mir.' } });
    await fireEvent.click(screen.getByRole('button', { name: 'Kommentar dazugeben' }));
    expect(await screen.findByText('Von mir.', { selector: 'p' })).toBeTruthy();
    release();
    await waitFor(() => expect(screen.queryByText('Von mir.', { selector: 'p' })).toBeNull());
    await waitFor(() => expect((box as HTMLTextAreaElement).value).toBe('Von mir.'));
  });
  it('a task that could not be written down comes back, and says why', async () => {
    const { backend } = await open('#/tasks/all');
    const box = await screen.findByRole('checkbox', { name: 'Sitzsäcke vergleichen' }, long);
    const release = holdActs(backend);
    backend.fails.set('task-state', 'disk-full');
    await fireEvent.click(box);
    const done = within((await screen.findByRole('heading', { name: 'Erledigt' })).parentElement as HTMLElement);
    expect(await done.findByText('Sitzsäcke vergleichen')).toBeTruthy();
    release();
    await waitFor(() => expect(done.queryByText('Sitzsäcke vergleichen')).toBeNull());
    expect((screen.getByRole('checkbox', { name: 'Sitzsäcke vergleichen' }) as HTMLInputElement).checked).toBe(false);
    await waitFor(() => expect(document.querySelector('.toast--bad')?.textContent).toContain('voll'));
  });
  it('of a double click the first counts, though another row is under the hand by then', async () => {
    const { backend } = await open('#/tasks/all');
    const box = await screen.findByRole('checkbox', { name: 'Sitzsäcke vergleichen' }, long);
    for (const part of [box, screen.getByText('Sitzsäcke vergleichen'), screen.getAllByRole('button', { name: /^Ich übernehme/ })[0] as HTMLElement]) await fireEvent.click(part, { detail: 2 });
    expect((box as HTMLInputElement).checked).toBe(false);
    expect(backend.log.some((entry) => 'act' in entry)).toBe(false);
    await fireEvent.click(screen.getByText('Sitzsäcke vergleichen'), { detail: 1 });
    await waitFor(() => expect(backend.log.filter((entry) => 'act' in entry)).toHaveLength(1));
  });
  it('a tick and its taking back are written down in their order, and only the last is told of', async () => {
    const { backend } = await open('#/tasks/all');
    const box = await screen.findByRole('checkbox', { name: 'Sitzsäcke vergleichen' }, long);
    const asked: string[] = [];
    const real = backend.act.bind(backend);
    let let_: () => void = () => undefined;
    const first = new Promise<void>((go) => { let_ = go; });
    backend.act = async (action) => {
      asked.push((action as { state?: string }).state ?? '');
      if (asked.length === 1) await first;
      return real(action);
    };
    await fireEvent.click(box);
    const done = within((await screen.findByRole('heading', { name: 'Erledigt' })).parentElement as HTMLElement);
    await fireEvent.click(await done.findByRole('checkbox', { name: 'Sitzsäcke vergleichen' }));
    await waitFor(() => expect(done.queryByText('Sitzsäcke vergleichen')).toBeNull());
    // The second waits for the first.
    expect(asked).toEqual(['done']);
    let_();
    await waitFor(() => expect(asked).toEqual(['done', 'open']));
    await waitFor(() => expect(backend.log.filter((entry) => 'act' in entry)).toHaveLength(2));
    expect((screen.getByRole('checkbox', { name: 'Sitzsäcke vergleichen' }) as HTMLInputElement).checked).toBe(false);
    expect(screen.queryByRole('button', { name: 'Rückgängig' })).toBeNull();
  });
  it('what waits its turn is done in the group where it was begun', async () => {
    const { backend } = await open('#/tasks/all', { size: 'two' });
    const box = await screen.findByRole('checkbox', { name: 'Sitzsäcke vergleichen' }, long);
    const release = holdActs(backend);
    await fireEvent.click(box);
    const done = within((await screen.findByRole('heading', { name: 'Erledigt' })).parentElement as HTMLElement);
    await fireEvent.click(await done.findByRole('checkbox', { name: 'Sitzsäcke vergleichen' }));
    const groups = screen.getByRole('combobox') as HTMLSelectElement;
    await fireEvent.change(groups, { target: { value: [...groups.options].find((option) => !option.selected)?.value } });
    release();
    const acts = () => backend.log.flatMap((entry) => ('act' in entry && 'group' in entry ? [entry.group] : []));
    await waitFor(() => expect(acts()).toEqual(['00ff', '00ff']));
  });
  it('what is answered when another group is looked at says nothing there', async () => {
    const { backend } = await open('#/tasks/all', { size: 'two' });
    const box = await screen.findByRole('checkbox', { name: 'Sitzsäcke vergleichen' }, long);
    const release = holdActs(backend);
    await fireEvent.click(box);
    await screen.findByRole('heading', { name: 'Erledigt' });
    const groups = screen.getByRole('combobox') as HTMLSelectElement;
    await fireEvent.change(groups, { target: { value: [...groups.options].find((option) => !option.selected)?.value } });
    release();
    await waitFor(() => expect(backend.log.some((entry) => 'act' in entry)).toBe(true));
    await waitFor(() => expect(location.hash).toBe('#/today'));
    expect(document.querySelector('.toast')).toBeNull();
    expect(screen.queryByText('Sitzsäcke vergleichen')).toBeNull();
  });
  it('on the page of today a task that is done goes at once', async () => {
    const { backend } = await open('#/today');
    const box = await screen.findByRole('checkbox', { name: 'Aushang ins Treppenhaus hängen' }, long);
    holdActs(backend);
    await fireEvent.click(box);
    await waitFor(() => expect(screen.queryByRole('checkbox', { name: 'Aushang ins Treppenhaus hängen' })).toBeNull());
  });
  it('a comment that fails after one has left says so, and its words are in the field when one comes back', async () => {
    const { backend } = await open('#/ideas/03');
    const release = holdActs(backend);
    backend.fails.set('comment', 'disk-full');
    await fireEvent.input(await screen.findByLabelText('Ihr Kommentar', {}, long), { target: { value: 'Von mir.' } });
    await fireEvent.click(screen.getByRole('button', { name: 'Kommentar dazugeben' }));
    goTo('#/tasks');
    await screen.findByRole('heading', { name: 'Aufgaben', level: 1 }, long);
    goTo('#/ideas/03');
    const box = (await screen.findByLabelText('Ihr Kommentar', {}, long)) as HTMLTextAreaElement;
    release();
    await waitFor(() => expect(document.querySelector('.toast--bad')?.textContent).toContain('voll'));
    expect(box.value).toBe('Von mir.');
  });
});

describe('what I did shows from the answer to it, before anything is asked again', () => {
  it('a comment; and an older answer that comes late does not take it away', async () => {
    const { backend } = await open('#/ideas/03');
    const box = await screen.findByLabelText('Ihr Kommentar', {}, long);
    const { held, release } = hold(backend, 'idea');
    backend.otherSays('03', 'Von anderen.');
    await waitFor(() => expect(held).toHaveLength(1));
    await fireEvent.input(box, { target: { value: 'Von mir.' } });
    await fireEvent.click(screen.getByRole('button', { name: 'Kommentar dazugeben' }));
    expect(await screen.findByText('Von mir.', { selector: 'p' })).toBeTruthy();
    // The question that was under way knew nothing of mine.
    held[0]?.();
    await waitFor(() => expect(held).toHaveLength(2));
    expect(screen.getByText('Von mir.', { selector: 'p' })).toBeTruthy();
    release();
    expect(await screen.findByText('Von anderen.', { selector: 'p' }, long)).toBeTruthy();
    expect(screen.getAllByText('Von mir.', { selector: 'p' })).toHaveLength(1);
  });
  it('a task done goes to what is done, and back again', async () => {
    const { backend } = await open('#/tasks/all');
    const box = await screen.findByRole('checkbox', { name: 'Sitzsäcke vergleichen' }, long);
    hold(backend, 'tasks');
    await fireEvent.click(box);
    const done = within((await screen.findByRole('heading', { name: 'Erledigt' })).parentElement as HTMLElement);
    expect(await done.findByText('Sitzsäcke vergleichen')).toBeTruthy();
    await fireEvent.click(await screen.findByRole('button', { name: 'Rückgängig' }));
    await waitFor(() => expect(done.queryByText('Sitzsäcke vergleichen')).toBeNull());
  });
  it('a new task, with its person and its idea', async () => {
    const { backend } = await open('#/ideas/07');
    await fireEvent.click(await screen.findByText('Aufgabe hinzufügen', { selector: 'summary' }, long));
    await fireEvent.input(screen.getByLabelText('Was ist zu tun?'), { target: { value: 'Dach messen' } });
    await screen.findByRole('option', { name: 'Jan Kosmala' });
    await fireEvent.change(screen.getByLabelText('Wer macht es?'), { target: { value: 'a1' } });
    hold(backend, 'idea');
    await fireEvent.click(screen.getByRole('button', { name: 'Aufgabe hinzufügen' }));
    const row = (await screen.findByRole('checkbox', { name: 'Dach messen' })).closest('.task') as HTMLElement;
    expect(within(row).getByText('Jan Kosmala')).toBeTruthy();
  });
  it('a ballot, in the list of decisions', async () => {
    const { backend } = await open('#/decisions');
    await screen.findByRole('heading', { name: 'Offen' }, long);
    goTo('#/decisions/e1');
    await fireEvent.click(await screen.findByRole('radio', { name: /Nein/ }, long));
    hold(backend, 'decisions');
    await fireEvent.click(screen.getByRole('button', { name: 'Stimmzettel abgeben' }));
    await waitFor(() => expect(location.hash).toBe('#/decisions'));
    goTo('#/decisions');
    const row = (await screen.findByRole('link', { name: /^Sollen wir/ }, long)).closest('[role=listitem]') as HTMLElement;
    expect(within(row).getByText('Sie haben abgestimmt.')).toBeTruthy();
    expect(row.textContent).toContain('4 von 8');
  });
  it('cost and place of an idea', async () => {
    const { backend } = await open('#/ideas/09');
    await fireEvent.click(await screen.findByRole('button', { name: 'Kosten und Ort ändern' }, long));
    await fireEvent.input(screen.getByLabelText(/^Kosten/), { target: { value: '12 500' } });
    hold(backend, 'idea');
    await fireEvent.click(screen.getByRole('button', { name: 'Speichern' }));
    expect(await screen.findByText('12 500')).toBeTruthy();
    await fireEvent.click(await screen.findByRole('button', { name: 'Rückgängig' }));
    await waitFor(() => expect(screen.queryByText('12 500')).toBeNull());
  });
  it('a text, as soon as the writing is said to be done', async () => {
    const { backend } = await open('#/ideas/09');
    await fireEvent.click(await screen.findByRole('button', { name: 'Mitschreiben' }, long));
    hold(backend, 'idea');
    await fireEvent.input(await screen.findByLabelText('Text'), { target: { value: 'Zwanzig Bügel.' } });
    await fireEvent.click(screen.getByRole('button', { name: 'Fertig' }));
    expect(await screen.findByText('Zwanzig Bügel.', { selector: 'p' })).toBeTruthy();
  });
  it('many changes of others are asked for together', async () => {
    const { backend } = await open('#/ideas');
    await screen.findByRole('heading', { name: /^9 Ideen/ }, long);
    const asked = () => backend.log.filter((entry) => 'ask' in entry && entry.ask === 'ideas').length;
    const before = asked();
    for (let n = 0; n < 40; n += 1) backend.otherIdea({ id: `cc${n}`, title: `Idee ${n}` });
    await screen.findByRole('heading', { name: /^49 Ideen/ }, long);
    expect(asked() - before).toBeLessThan(4);
  });
  it('a change of another group asks for nothing', async () => {
    const { backend } = await open('#/ideas', { size: 'two' });
    await screen.findByRole('heading', { name: /^9 Ideen/ }, long);
    const asked = () => backend.log.filter((entry) => 'ask' in entry && entry.ask === 'ideas').length;
    const before = asked();
    backend.tell({ event: 'changed', group: '00ee' });
    backend.otherIdea({ id: 'cc', title: 'Hier' });
    await screen.findByRole('heading', { name: /^10 Ideen/ }, long);
    expect(asked() - before).toBe(1);
  });
});

describe('an earlier version', () => {
  const texts = fc.string({ unit: fc.constantFrom('a', 'b', ' ', 'ß', '😀'), minLength: 1, maxLength: 12 });
  const now = async (backend: MemoryBackend) => (await backend.ask({ ask: 'idea', group: '00ff', id: '09' })) as IdeaPage;
  it('comes back whole, and undoing it leaves what others wrote since', async () => {
    await fc.assert(
      fc.asyncProperty(texts, texts, texts, async (first, second, since) => {
        const backend = new MemoryBackend();
        const client = new Client(backend);
        backend.other('09', 'body', () => first);
        backend.other('09', 'title', () => 'Titel eins');
        const version = ((await backend.ask({ ask: 'history', group: '00ff', id: '09' })) as Version[])[0] as Version;
        backend.other('09', 'body', () => second);
        backend.other('09', 'title', () => 'Titel zwei');
        const undo = await restore(client, '00ff', '09', { ...version, title: 'Titel eins' });
        expect([(await now(backend)).title.text, (await now(backend)).body.text]).toEqual(['Titel eins', first]);
        backend.other('09', 'body', (text) => `${text}#${since}`);
        await undo();
        const after = await now(backend);
        expect(after.title.text).toBe('Titel zwei');
        // Where both put something at one place, either may come first.
        expect(after.body.text).toContain(`#${since}`);
        expect(after.body.text.replace(`#${since}`, '')).toBe(second);
      }),
      { numRuns: 60 },
    );
  });
  it('others who write in the very moment are not overwritten', async () => {
    const backend = new MemoryBackend();
    const client = new Client(backend);
    backend.other('09', 'body', () => 'Alt');
    const version = (await client.history('00ff', '09'))[0] as Version;
    backend.other('09', 'body', () => 'Neu');
    const real = backend.act.bind(backend);
    backend.act = async (action) => {
      backend.act = real;
      backend.other('09', 'body', (text) => `${text}!`);
      return real(action);
    };
    const undo = await restore(client, '00ff', '09', version);
    expect((await now(backend)).body.text).toBe('Alt!');
    await undo();
    expect((await now(backend)).body.text).toBe('Neu!');
  });
  it('the newest first: it stands so now, and the one before comes back', async () => {
    const versions = [
      { at: 3_000, by: null, title: 'Bank', body: 'Neu.', titleParts: [{ text: 'Bank', was: 'same' }], parts: [{ text: 'Alt', was: 'removed' }, { text: 'Neu', was: 'added' }, { text: '.', was: 'same' }] },
      { at: 2_000, by: null, title: 'Bank', body: 'Alt.', titleParts: [{ text: 'Bank', was: 'added' }], parts: [{ text: 'Alt.', was: 'added' }] },
    ] satisfies Version[];
    const real = MemoryBackend.prototype.ask;
    const ask = vi.spyOn(MemoryBackend.prototype, 'ask').mockImplementation(function (this: MemoryBackend, query) {
      return query.ask === 'history' ? Promise.resolve(versions) : real.call(this, query);
    });
    await open('#/ideas/history:09');
    const now = (await screen.findByText('So steht es jetzt da.', {}, long)).closest('section') as HTMLElement;
    expect(now.textContent).toContain('Neu');
    const back = screen.getByRole('button', { name: /Diese Fassung wiederherstellen/ }).closest('section') as HTMLElement;
    expect(back.textContent).toContain('Alt.');
    // The oldest one stands as it was, with no marks.
    expect([now.querySelectorAll('ins, del').length, back.querySelectorAll('ins, del').length]).toEqual([2, 0]);
    ask.mockRestore();
  });
  it('the memory tells them in the same order', async () => {
    const backend = new MemoryBackend();
    backend.other('09', 'body', () => 'Neu');
    const told = (await backend.ask({ ask: 'history', group: '00ff', id: '09' })) as Version[];
    expect(told.map((version) => version.body)).toEqual(['Neu', 'Zwölf Bügel, überdacht.']);
  });
  it('with one press and the way back, without a question', async () => {
    const { backend } = await open('#/ideas/history:09');
    await screen.findByText('So steht es jetzt da.', {}, long);
    backend.other('09', 'body', () => 'Nur ein Bügel.');
    await fireEvent.click(await screen.findByRole('button', { name: /Diese Fassung wiederherstellen/ }, long));
    await screen.findByText(/gilt wieder/, {}, long);
    expect((await now(backend)).body.text).toBe('Zwölf Bügel, überdacht.');
    await fireEvent.click(screen.getByRole('button', { name: 'Rückgängig' }));
    await waitFor(async () => expect((await now(backend)).body.text).toBe('Nur ein Bügel.'), long);
  });
});
