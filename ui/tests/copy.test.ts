import { fireEvent, screen, waitFor, within } from '@testing-library/svelte';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { MemoryBackend } from '../src/lib/api/memory';
import { m } from '../src/lib/words';
import { goTo, long, open, places } from './open';

beforeAll(places, 60_000);
vi.setConfig({ testTimeout: 20_000 });
URL.createObjectURL ??= () => 'blob:x';
URL.revokeObjectURL ??= () => undefined;

/** The way of a copy, held at each step until it is let go on. */
function steps(backend: MemoryBackend) {
  const held: (() => void)[] = [];
  const way = { stops: true, go: () => held.shift()?.() };
  const wait = () => new Promise<void>((done) => held.push(done));
  const stopped = (stop: AbortSignal) => new Promise<never>((_, fail) => stop.addEventListener('abort', () => fail({ code: 'stopped' })));
  backend.copyOut = async (_group, progress, stop) => {
    backend.tell({ event: 'copying', step: 'gathering' });
    await Promise.race([wait(), stopped(stop)]);
    progress(1_200_000, 3_400_000);
    await Promise.race([wait(), stopped(stop)]);
    return { bytes: new Blob(['KIEZ']), name: 'zawodzie.kiez' };
  };
  backend.copyIn = async (file, progress, stop) => {
    progress(1_000_000, 4_000_000);
    await Promise.race([wait(), stopped(stop)]);
    progress(file.size, file.size);
    backend.tell({ event: 'copying', step: 'taking-in' });
    await wait();
  };
  return way;
}
const bar = () => document.querySelector('progress');
const choose = (container: HTMLElement) => fireEvent.change(container.querySelector('input[type=file]') as HTMLInputElement, { target: { files: [new File(['xxxx'], 'x.kiez')] } });

describe.each(['de', 'en'] as const)('a copy on its way (%s)', (words) => {
  it('out: says what is done, how much of it, and that it is done', async () => {
    const { backend } = await open('#/settings', {}, words);
    const way = steps(backend);
    const button = await screen.findByRole('button', { name: m.stick_write_now() }, long);
    expect(bar()).toBeNull();
    await fireEvent.click(button);
    expect((await screen.findByText(m.copy_gathering())).closest('[role=status]')).toBeTruthy();
    // How far that is Kiez does not say: the bar stands for no number.
    expect(bar()?.hasAttribute('value')).toBe(false);
    expect((button as HTMLButtonElement).disabled).toBe(true);
    way.go();
    expect(await screen.findByText(m.copy_so_far({ done: words === 'de' ? '1,2' : '1.2', of: words === 'de' ? '3,4' : '3.4' }))).toBeTruthy();
    expect(bar()?.value).toBe(1_200_000);
    expect(bar()?.max).toBe(3_400_000);
    expect(bar()?.getAttribute('aria-label')).toBe(m.copy_writing());
    way.go();
    expect(await screen.findByText(/zawodzie\.kiez/)).toBeTruthy();
    expect(bar()).toBeNull();
  });
  it('out: can be stopped at any time, and nothing is said to have failed', async () => {
    const { backend } = await open('#/settings', {}, words);
    steps(backend);
    await fireEvent.click(await screen.findByRole('button', { name: m.stick_write_now() }, long));
    await fireEvent.click(await screen.findByRole('button', { name: m.stop() }));
    expect((await screen.findByText(m.error_stopped())).closest('[role=status]')).toBeTruthy();
    expect(bar()).toBeNull();
  });
  it('in: can be stopped until Kiez takes it in; in other places it is shown at the edge', async () => {
    const { backend, container } = await open('#/settings', {}, words);
    const way = steps(backend);
    await screen.findByRole('button', { name: m.stick_read() }, long);
    await choose(container);
    expect(await screen.findByText(m.copy_so_far({ done: '1', of: '4' }))).toBeTruthy();
    expect(document.querySelectorAll('progress')).toHaveLength(1);
    goTo('#/tasks');
    await waitFor(() => expect(bar()?.closest('.edge')).toBeTruthy(), long);
    expect(screen.getByRole('button', { name: m.stop() })).toBeTruthy();
    way.go();
    expect(await screen.findByText(m.copy_taking_in())).toBeTruthy();
    expect(bar()?.hasAttribute('value')).toBe(false);
    expect(screen.queryByRole('button', { name: m.stop() })).toBeNull();
    way.go();
    expect(await screen.findByText(m.copy_read())).toBeTruthy();
    expect(bar()).toBeNull();
  });
  it('in: stopped', async () => {
    const { backend, container } = await open('#/settings', {}, words);
    steps(backend);
    await screen.findByRole('button', { name: m.stick_read() }, long);
    await choose(container);
    await fireEvent.click(await screen.findByRole('button', { name: m.stop() }));
    expect(await screen.findByText(m.error_stopped())).toBeTruthy();
  });
  it('over a way that cannot stop there is no button for it; what another page copies is not shown', async () => {
    const { backend } = await open('#/settings', {}, words);
    steps(backend);
    Object.assign(backend, { stops: false });
    const button = await screen.findByRole('button', { name: m.stick_write_now() }, long);
    backend.tell({ event: 'copying', step: 'taking-in' });
    expect(bar()).toBeNull();
    await fireEvent.click(button);
    await screen.findByText(m.copy_gathering());
    expect(screen.queryByRole('button', { name: m.stop() })).toBeNull();
    backend.tell({ event: 'copying', step: 'taking-in' });
    expect(within(document.body).queryByText(m.copy_taking_in())).toBeNull();
  });
});
