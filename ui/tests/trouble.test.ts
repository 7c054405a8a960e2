import { fireEvent, screen, waitFor } from '@testing-library/svelte';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { KiezError } from '../src/lib/api';
import { m } from '../src/lib/words';
import { errorText } from '../src/lib/words/errors';
import { goTo, long, open, places } from './open';

beforeAll(places, 60_000);
vi.setConfig({ testTimeout: 20_000 });

/** The text of an error, said where it is heard at once. */
async function told(code: string) {
  const text = errorText(new KiezError(code));
  await waitFor(() => expect([...document.querySelectorAll('[role=alert]')].map((node) => node.textContent).join(' ')).toContain(text), long);
}
const untold = (code: string) => waitFor(() => expect(document.body.textContent).not.toContain(errorText(new KiezError(code))), long);
const type = (box: HTMLElement, value: string) => fireEvent.input(box, { target: { value } });

describe.each(['de', 'en'] as const)('what goes wrong is said, with what to do (%s)', (words) => {
  it('a wrong passphrase', async () => {
    await open('#/today', { state: 'locked' }, words);
    const box = (await screen.findByLabelText(m.passphrase(), {}, long)) as HTMLInputElement;
    await type(box, 'falsch');
    await fireEvent.click(screen.getByRole('button', { name: m.open_kiez() }));
    await told('wrong-passphrase');
    expect(box.value).toBe('');
    await type(box, 'vier kleine katzen tanzen');
    await fireEvent.click(screen.getByRole('button', { name: m.open_kiez() }));
    expect(await screen.findByRole('heading', { name: 'Zawodzie', level: 1 }, long)).toBeTruthy();
  });
  it('an expired invitation, before joining and at it', async () => {
    const { backend } = await open('#/start', {}, words);
    const box = (await screen.findByLabelText(new RegExp(`^${m.invitation()}`), {}, long)) as HTMLTextAreaElement;
    backend.fails.set('invitation', 'invitation-expired');
    await type(box, 'kiez1abc');
    await told('invitation-expired');
    await type(box, 'kiez1abcd');
    await untold('invitation-expired');
    await screen.findByText(new RegExp(m.invitation_good()));
    backend.fails.set('join', 'invitation-expired');
    await fireEvent.click(screen.getByRole('button', { name: m.join() }));
    await told('invitation-expired');
    expect(box.value).toBe('kiez1abcd');
  });
  it('an invitation of which a piece is missing', async () => {
    const { backend } = await open('#/start', {}, words);
    backend.fails.set('invitation', 'invitation-damaged');
    await type(await screen.findByLabelText(new RegExp(`^${m.invitation()}`), {}, long), 'kiez1ab');
    await told('invitation-damaged');
  });
  it('a damaged copy, opened in the settings and dropped anywhere', async () => {
    const { backend, container } = await open('#/settings', {}, words);
    await screen.findByText(m.with_the_stick(), {}, long);
    backend.fails.set('copy-in', 'copy');
    const file = new File(['x'], 'x.kiez');
    await fireEvent.change(container.querySelector('input[type=file]') as HTMLInputElement, { target: { files: [file] } });
    await told('copy');
    await fireEvent.click(screen.getByRole('button', { name: m.close() }));
    goTo('#/people');
    await screen.findByRole('heading', { name: m.place_people() }, long);
    backend.fails.set('copy-in', 'copy');
    await fireEvent.drop(document.body, { dataTransfer: { types: ['Files'], files: [file] } });
    await told('copy');
    await fireEvent.drop(document.body, { dataTransfer: { types: ['Files'], files: [file] } });
    await screen.findByText(m.copy_read(), {}, long);
    await untold('copy');
  });
  it('a full disk, while a comment, an idea and a task are written: what was typed stays', async () => {
    const { backend } = await open('#/ideas/09', {}, words);
    const comment = (await screen.findByLabelText(m.your_comment(), {}, long)) as HTMLTextAreaElement;
    await type(comment, 'Das ist gut.');
    backend.fails.set('comment', 'disk-full');
    await fireEvent.click(screen.getByRole('button', { name: m.comment_add() }));
    await told('disk-full');
    expect(comment.value).toBe('Das ist gut.');
    await fireEvent.click(screen.getByRole('button', { name: m.comment_add() }));
    await untold('disk-full');
    expect(comment.value).toBe('');

    goTo('#/ideas/new');
    const title = (await screen.findByLabelText(new RegExp(`^${m.idea_title()}`), {}, long)) as HTMLInputElement;
    await type(title, 'Bänke');
    backend.fails.set('idea-add', 'disk-full');
    await fireEvent.click(screen.getByRole('button', { name: m.idea_add() }));
    await told('disk-full');
    expect(title.value).toBe('Bänke');

    goTo('#/tasks');
    await fireEvent.click(await screen.findByRole('button', { name: m.task_add_head() }, long));
    const task = (await screen.findByLabelText(m.task_what())) as HTMLInputElement;
    await type(task, 'Schrauben kaufen');
    backend.fails.set('task-add', 'disk-full');
    await fireEvent.click(screen.getByRole('button', { name: m.task_add() }));
    await told('disk-full');
    expect(task.value).toBe('Schrauben kaufen');
  });
  it('a full disk, while a task is ticked: the tick says what Kiez knows', async () => {
    const { backend } = await open('#/tasks', {}, words);
    const box = () => screen.findByRole('checkbox', { name: 'Aushang ins Treppenhaus hängen' }, long) as Promise<HTMLInputElement>;
    backend.fails.set('task-state', 'disk-full');
    await fireEvent.click(await box());
    await told('disk-full');
    expect((await box()).checked).toBe(false);
  });
  it('a node that died: the line says so, what is shown stays, nothing typed is lost, and all heals', async () => {
    const { backend } = await open('#/ideas/09', {}, words);
    await fireEvent.click(await screen.findByRole('button', { name: m.write_along() }, long));
    const text = (await screen.findByLabelText(m.text_label())) as HTMLTextAreaElement;
    const comment = screen.getByLabelText(m.your_comment()) as HTMLTextAreaElement;
    backend.die();
    expect(await screen.findByText(m.link_lost())).toBeTruthy();
    await type(text, 'Zwanzig Bügel, überdacht.');
    await type(comment, 'Bitte rot.');
    await fireEvent.click(screen.getByRole('button', { name: m.comment_add() }));
    await told('connection-lost');
    // Who says that the writing is done is told that it is not kept yet.
    await fireEvent.click(screen.getByRole('button', { name: m.writing_done() }));
    await waitFor(() => expect(text.value).toBe('Zwanzig Bügel, überdacht.'));
    expect(comment.value).toBe('Bitte rot.');
    // Going elsewhere and back: it is all still there.
    goTo('#/ideas');
    await screen.findByText(m.opening(), {}, long);
    goTo('#/ideas/09');
    const again = (await screen.findByLabelText(m.text_label(), {}, long)) as HTMLTextAreaElement;
    expect(again.value).toBe('Zwanzig Bügel, überdacht.');
    expect((screen.getByLabelText(m.your_comment()) as HTMLTextAreaElement).value).toBe('Bitte rot.');
    backend.rise();
    await waitFor(() => expect(screen.queryByText(m.link_lost())).toBeNull());
    await fireEvent.click(screen.getByRole('button', { name: m.comment_add() }));
    expect(await screen.findByText('Bitte rot.', { selector: 'p' }, long)).toBeTruthy();
    await fireEvent.click(screen.getByRole('button', { name: m.writing_done() }));
    expect(await screen.findByText('Zwanzig Bügel, überdacht.', { selector: 'p' }, long)).toBeTruthy();
    expect(((await backend.ask({ ask: 'idea', group: '00ff', id: '09' })) as { body: { text: string } }).body.text).toBe('Zwanzig Bügel, überdacht.');
    await untold('connection-lost');
  });
  it('a node that is dead from the start, and one that dies between two places', async () => {
    const { backend } = await open('#/today', {}, words);
    await screen.findByRole('link', { name: m.vote_now() }, long);
    backend.die();
    goTo('#/people');
    await screen.findByText(m.opening(), {}, long);
    // No answer yet is no failure of the place: the line says what is the matter.
    expect(await screen.findByText(m.link_lost())).toBeTruthy();
    backend.rise();
    expect(await screen.findByText('Danuta Wrona', {}, long)).toBeTruthy();
  });
});

describe('an answer that no place can show', () => {
  it('leaves the frame standing, and can be tried again', async () => {
    const { backend } = await open('#/today');
    await screen.findByRole('link', { name: m.vote_now() }, long);
    const real = backend.ask.bind(backend);
    backend.ask = async (query) => (query.ask === 'tasks' ? { nothing: 'of use' } : real(query));
    goTo('#/tasks');
    await waitFor(() => expect(document.querySelector('main [role=alert]')?.textContent).toBe(m.error_other()), long);
    backend.ask = real;
    goTo('#/people');
    expect(await screen.findByText('Danuta Wrona', {}, long)).toBeTruthy();
  });
});

describe('a door that does not open', () => {
  it('says why, and opens when it can', async () => {
    const { backend } = await open('#/today', { delay: 5 });
    backend.die();
    await told('connection-lost');
    backend.rise();
    expect(await screen.findByRole('link', { name: m.vote_now() }, long)).toBeTruthy();
  });
});
