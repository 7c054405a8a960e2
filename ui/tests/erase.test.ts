import { fireEvent, screen, waitFor, within } from '@testing-library/svelte';
import { beforeAll, describe, expect, it, vi } from 'vitest';
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
});
