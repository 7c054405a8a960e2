import { fireEvent, screen, waitFor } from '@testing-library/svelte';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { type Action, type IdeaPage, KiezError } from '../src/lib/api';
import type { MemoryBackend } from '../src/lib/api/memory';
import { goTo, long, open, places } from './open';

beforeAll(places, 60_000);
vi.setConfig({ testTimeout: 20_000 });

const held = async (backend: MemoryBackend) => ((await backend.ask({ ask: 'idea', group: '00ff', id: '09' })) as IdeaPage).body.text;
const sent = (backend: MemoryBackend) => backend.log.filter((entry): entry is Extract<Action, { act: 'idea-text' }> => 'act' in entry && entry.act === 'idea-text');
async function write() {
  const page = await open('#/ideas/09');
  await fireEvent.click(await screen.findByRole('button', { name: 'Mitschreiben' }, long));
  return { ...page, box: (await screen.findByLabelText('Text')) as HTMLTextAreaElement };
}

describe('what was typed a moment before the page goes', () => {
  it.each([
    ['the window closes', () => window.dispatchEvent(new Event('pagehide'))],
    ['the window is hidden', () => {
      vi.spyOn(document, 'visibilityState', 'get').mockReturnValue('hidden');
      document.dispatchEvent(new Event('visibilitychange'));
      vi.restoreAllMocks();
    }],
    ['another place is gone to', () => goTo('#/tasks')],
  ])('is sent at once when %s', async (_, leave) => {
    const { backend, box } = await write();
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    await fireEvent.input(box, { target: { value: 'Zehn Bügel' } });
    expect(sent(backend)).toHaveLength(0);
    leave();
    for (let n = 0; n < 20 && sent(backend).length === 0; n += 1) await Promise.resolve();
    vi.useRealTimers();
    await waitFor(() => expect(sent(backend)).toHaveLength(1));
    expect(await held(backend)).toBe('Zehn Bügel');
  });
  it('even a letter that is half put together', async () => {
    const { backend, box } = await write();
    await fireEvent.compositionStart(box);
    await fireEvent.input(box, { target: { value: 'Zwölf Bügel, überdacht. ni' } });
    window.dispatchEvent(new Event('pagehide'));
    await waitFor(async () => expect(await held(backend)).toBe('Zwölf Bügel, überdacht. ni'));
    await fireEvent.input(box, { target: { value: 'Zwölf Bügel, überdacht. 你' } });
    await fireEvent.compositionEnd(box);
    await waitFor(async () => expect(await held(backend)).toBe('Zwölf Bügel, überdacht. 你'), long);
    // Nothing is asked round and round meanwhile.
    expect(sent(backend).length).toBeLessThan(4);
  });
});

describe('an answer that is lost', () => {
  it.each([['it had arrived', true], ['it had not', false]])('what was typed stands there once: %s', async (_, arrived) => {
    const { backend, box } = await write();
    const real = backend.act.bind(backend);
    let lost = 0;
    backend.act = async (action) => {
      if (action.act !== 'idea-text' || lost > 0) return real(action);
      lost += 1;
      if (arrived) await real(action);
      backend.other('09', 'body', (text) => `Bitte: ${text}`);
      throw new KiezError('connection-lost');
    };
    await fireEvent.input(box, { target: { value: 'Zwölf Bügel, rot, überdacht.' } });
    await waitFor(() => expect(lost).toBe(1), long);
    await fireEvent.input(box, { target: { value: `${box.value} Mit Licht.` } });
    await waitFor(async () => expect(await held(backend)).toBe('Bitte: Zwölf Bügel, rot, überdacht. Mit Licht.'), long);
    await waitFor(() => expect(box.value).toBe('Bitte: Zwölf Bügel, rot, überdacht. Mit Licht.'), long);
    expect(await screen.findAllByText('Alles gespeichert.', {}, long)).not.toHaveLength(0);
  });
});

describe('a text with the line ends of other programs', () => {
  it('is written into where the caret stands, and the rest of it is left as it is', async () => {
    const { backend, box } = await write();
    backend.other('09', 'body', () => 'Eins\r\nZwei\r\nDrei');
    await waitFor(() => expect(box.value).toBe('Eins\nZwei\nDrei'), long);
    box.focus();
    box.value = 'Eins\nZwei!\nDrei';
    box.setSelectionRange(10, 10);
    await fireEvent.input(box);
    await waitFor(async () => expect(await held(backend)).toBe('Eins\r\nZwei!\r\nDrei'), long);
    expect(sent(backend).at(-1)?.splices).toEqual([{ at: 10, delete: 0, insert: '!' }]);
    backend.other('09', 'body', (text) => `Null\r\n${text}`);
    await waitFor(() => expect(box.value).toBe('Null\nEins\nZwei!\nDrei'), long);
    expect(box.selectionStart).toBe(15);
  });
});
