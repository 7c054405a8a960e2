import { fireEvent, screen, waitFor, within } from '@testing-library/svelte';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { busy } from '../src/lib/api/memory/council';
import { small } from '../src/lib/api/memory/example';
import type { Seed } from '../src/lib/api/memory/example';
import { long, open, places } from './open';

beforeAll(places, 60_000);
vi.setConfig({ testTimeout: 20_000 });

const plain = (text: string | null) => (text ?? '').replace(/[\u2066-\u2069]/g, '');
/** Opens what is folded away. */
async function unfold(name: string, where: ParentNode = document): Promise<HTMLElement> {
  const summary = await waitFor(() => {
    const found = [...where.querySelectorAll<HTMLElement>('summary')].find((one) => one.textContent?.trim() === name);
    if (!found) throw new Error(`no summary ${name}`);
    return found;
  }, long);
  const fold = summary.closest('details') as HTMLDetailsElement;
  fold.open = true;
  await fireEvent(fold, new Event('toggle'));
  return fold;
}

describe('erasing', () => {
  it('my own comment: what it means, and the passphrase, come before it', async () => {
    const { backend } = await open('#ideas/03', { passphrase: 'offen' }, 'en');
    const field = await screen.findByRole('textbox', { name: /your comment/i }, long);
    await fireEvent.input(field, { target: { value: 'Call me: 0201 555 777' } });
    await fireEvent.submit(field.closest('form') as HTMLFormElement);
    const said = await waitFor(() => {
      const mine = [...document.querySelectorAll<HTMLElement>('.thread .entry')].find((one) => one.textContent?.includes('0201 555 777') && one.querySelector('summary'));
      if (!mine) throw new Error('not there yet');
      return mine;
    }, long);
    const fold = await unfold('Erase for good', said);
    expect(plain(fold.textContent)).toContain('What somebody has read or copied, old backups and copies on sticks keep it.');
    expect(plain(fold.textContent)).toContain('It cannot be undone.');
    const passphrase = within(fold).getByLabelText('Your passphrase');
    const now = within(fold).getByRole('button', { name: 'Erase for good now' });
    await fireEvent.input(passphrase, { target: { value: 'falsch' } });
    await fireEvent.click(now);
    await waitFor(() => { expect(within(fold).getByRole('alert').textContent).not.toBe(''); }, long);
    expect(document.body.textContent).toContain('0201 555 777');
    await fireEvent.input(passphrase, { target: { value: 'offen' } });
    await fireEvent.click(now);
    await waitFor(() => { expect(document.querySelector('#talk')?.textContent).not.toContain('0201 555 777'); }, long);
    expect(backend.log.filter((one) => 'act' in one && one.act === 'erase-own')).toHaveLength(2);
  });

  it('what stood in an idea: proposed with what it means, told where it happened', async () => {
    await open('#ideas/06', { size: 'council' }, 'en');
    await waitFor(() => { expect(plain(document.body.textContent)).toMatch(/What stood here before: .* Erased by .*, .*Reason: “Eine Telefonnummer\.”/); }, long);
    const fold = await unfold('Propose to erase what stood here before');
    expect(plain(fold.textContent)).toContain('So change the text first.');
    expect(plain(fold.textContent)).toContain('Votes stay');
  });

  it('the council’s page lists all that was erased', async () => {
    await open('#people/motions', { size: 'council' }, 'en');
    const section = (await screen.findByRole('heading', { name: 'Erased' }, long)).closest('section') as HTMLElement;
    await waitFor(() => { expect(plain(section.textContent)).toMatch(/Something that .* had said/); }, long);
  });

  it('who is to sign is warned where what would be left is not what stands there now', async () => {
    await open('#people/motions', { size: 'council' }, 'en');
    const motion = await waitFor(() => {
      const found = [...document.querySelectorAll<HTMLElement>('.motion')].find((one) => one.textContent?.includes('What stood in an idea before is erased'));
      if (!found) throw new Error('not there yet');
      return found;
    }, long);
    const said = plain(motion.textContent);
    expect(said).toContain('12 pieces of what was written are erased.');
    expect(said).toContain('What would stand there afterwards is not what stands there now. What would be different: the text and the cost.');
    expect(said).toContain('2 changes that count now are not in it. They would not count any more.');
    expect(said).toContain('So stand es da, bevor Jan weiterschrieb.');
    expect(said).not.toContain('What stands there now stays');
    // The warning comes before the button, which stays as it is.
    const sign = within(motion).getByRole('button', { name: 'Sign' });
    expect((sign as HTMLButtonElement).disabled).toBe(false);
    expect((motion.querySelector('.note--bad') as HTMLElement).compareDocumentPosition(sign) & Node.DOCUMENT_POSITION_FOLLOWING).toBeTruthy();
  });

  it('how much came too late is told where the erasing is, and who wrote it is led to it', async () => {
    for (const place of ['#ideas/06', '#ideas/history:06', '#people/motions']) {
      const { unmount } = await open(place, { size: 'council' }, 'en');
      await waitFor(() => { expect(plain(document.body.textContent)).toContain('3 changes came too late: who wrote them did not know of the erasing yet.'); }, long);
      expect(screen.getByRole('link', { name: /^1 of them is yours/u }).getAttribute('href')).toBe('#/people/late');
      unmount();
    }
    await open('#people/late', { size: 'council' }, 'en');
    await screen.findByText('Und der Hahn tropft auch.', {}, long);
  });

  it('who has gone is told that it reaches the others no more, and finds no button', async () => {
    for (const [size, words] of [['left', 'what you erase from now on does not reach them'], ['removed', 'Nobody can erase for you what you have said'], ['device-out', 'Erase with another of your devices']] as const) {
      const { unmount } = await open('#settings', { size }, 'en');
      await waitFor(() => { expect(plain(document.body.textContent)).toContain(words); }, long);
      expect(document.body.textContent).not.toContain('Erase all that I have said');
      unmount();
    }
  });

  it('who only looks on proposes nothing, and may erase what they have said', async () => {
    const looksOn: Seed = { ...small, people: small.people.map((human) => (human.id === 'b1' ? { ...human, role: 'observer' } : human)) };
    const { unmount } = await open('#ideas/06', { size: looksOn }, 'en');
    await screen.findByRole('heading', { name: 'What happened' }, long);
    expect(document.body.textContent).not.toContain('Propose to erase');
    unmount();
    await open('#settings', { size: looksOn }, 'en');
    await unfold('Erase all that I have said');
  });
});

describe('what the council has hidden', () => {
  it('is called by its title nowhere but on its own page', async () => {
    // Who is to sign something about it reads what it is; so nothing is to be signed.
    const council = { ...busy('member'), moves: busy('member').moves.filter((move) => move.carried), hidden: [{ target: { what: 'idea' as const, id: '03' }, motion: 'm6' }] };
    const title = small.ideas.find((idea) => idea.id === '03')?.title ?? '';
    expect(title).not.toBe('');
    for (const place of ['#today', '#decisions', '#tasks/ideas', '#tasks/all', '#ideas']) {
      const { unmount } = await open(place, { size: { ...small, council } }, 'en');
      await waitFor(() => { expect(plain(document.querySelector('main')?.textContent ?? '')).toContain('The council has hidden this idea.'); }, long);
      expect([place, plain(document.querySelector('main')?.textContent ?? '').includes(title)]).toEqual([place, false]);
      unmount();
    }
  });

  it('on a telephone, what waits to be signed is counted under “More”', async () => {
    await open('#more', { size: 'council' }, 'en');
    const link = await screen.findByRole('link', { name: /^More.*wait for you/u }, long);
    expect(link.textContent).toMatch(/[1-9]/u);
    await waitFor(() => { expect(document.querySelector('.places .count')?.textContent).toMatch(/wait/u); }, long);
  });
});
