import { fireEvent, screen, waitFor, within } from '@testing-library/svelte';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import type { Amendment, Council, MotionCard, Person, Share } from '../src/lib/api';
import { templates } from '../src/lib/api/memory/council';
import { missing, takes } from '../src/lib/council';
import { setLocale } from '../src/lib/words';
import { missingText, takesText } from '../src/lib/words/council';
import { charterText, ruleOf, rules, ruleText, shareText } from '../src/lib/words/rules';
import { goTo, long, open, places } from './open';

beforeAll(places, 60_000);
vi.setConfig({ testTimeout: 20_000 });

const plain = (text: string) => text.replace(/[\u2066-\u2069]/g, '');
const byText = async (text: string | RegExp, where: HTMLElement = document.body) =>
  (await within(where).findAllByText((_, element) => element !== null && [...element.childNodes].some((node) => node.nodeType === 3) && (typeof text === 'string' ? plain(element.textContent ?? '').includes(text) : text.test(plain(element.textContent ?? ''))), {}, long))[0] as HTMLElement;
/** Opens what is folded away. */
async function unfold(name: string | RegExp): Promise<HTMLElement> {
  const summary = await waitFor(() => {
    const found = [...document.querySelectorAll<HTMLElement>('summary')].find((one) => (typeof name === 'string' ? one.textContent?.trim() === name : name.test(one.textContent ?? '')));
    if (!found) throw new Error(`no summary ${String(name)}`);
    return found;
  }, long);
  const fold = summary.closest('details') as HTMLDetailsElement;
  fold.open = true;
  await fireEvent(fold, new Event('toggle'));
  return fold;
}
const button = (name: string | RegExp, where: HTMLElement = document.body) => within(where).findByRole('button', { name }, long);

describe('the rules in plain words', () => {
  const texts = (named: string) => charterText(templates.find((one) => one.template === named) ?? (templates[0] as never)).map(({ text }) => plain(text).replace(/\u00a0/g, ' '));
  it('a circle of friends', async () => {
    await setLocale('de');
    expect(texts('circle')).toEqual([
      'Jedes Mitglied darf einladen.', 'Wer eine Einladung hat, kommt sofort herein.', 'Wer eine Abstimmung beginnt, zählt sie aus. Alle können nachzählen.',
      'Ein Ergebnis gilt, auch wenn nur wenige abgestimmt haben.', 'Es gibt kein Geld, das eine Jury vergibt.',
    ]);
  });
  it('an association', async () => {
    await setLocale('en');
    expect(texts('association')).toEqual([
      'Only stewards may invite.', 'Whoever has an invitation comes in at once.', 'The stewards count votes, and more than half of them must agree on the result.',
      'A result counts only if at least a quarter of those who may vote have voted.', 'There is no fund that a jury gives away.',
    ]);
    await setLocale('de');
  });
  it('a jury with a fund, in both languages', async () => {
    await setLocale('de');
    expect(texts('jury')).toEqual([
      'Nur Vertrauenspersonen dürfen einladen.', 'Außer dem, der einlädt, muss 1 Mitglied den neuen Menschen kennen.',
      'Die Vertrauenspersonen zählen aus, und mehr als die Hälfte von ihnen muss sich über das Ergebnis einig sein.',
      'Ein Ergebnis gilt nur, wenn mindestens die Hälfte derer abgestimmt hat, die abstimmen dürfen.',
      'Eine Jury vergibt das Geld. Sie wird aus allen ausgelost, die abstimmen dürfen. Mindestens 51 % der Jury wohnt hier. Ein Vorhaben bekommt höchstens 5 000.',
    ]);
    await setLocale('en');
    expect(texts('jury').at(-1)).toBe('A jury gives away the money. It is drawn by lot from all who may vote. At least 51 % of the jury live here. One project gets at most 5 000.');
    await setLocale('de');
  });
  const share = (numerator: number, denominator: number): Share => ({ numerator, denominator });
  const amendments: [Amendment, string, string][] = [
    [{ rule: 'inviters', to: 'members' }, 'Jedes Mitglied darf einladen.', 'Every member may invite.'],
    [{ rule: 'inviters', to: 'stewards' }, 'Nur Vertrauenspersonen dürfen einladen.', 'Only stewards may invite.'],
    [{ rule: 'vouchers', to: 0 }, 'Wer eine Einladung hat, kommt sofort herein.', 'Whoever has an invitation comes in at once.'],
    [{ rule: 'vouchers', to: 3 }, 'Außer dem, der einlädt, müssen 3 Mitglieder den neuen Menschen kennen.', 'Besides whoever invites, 3 members must have met whoever comes in.'],
    [{ rule: 'counters', to: 'opener' }, 'Wer eine Abstimmung beginnt, zählt sie aus. Alle können nachzählen.', 'Whoever begins a vote counts it. Everybody can count it again.'],
    [{ rule: 'counters', to: 'stewards' }, 'Die Vertrauenspersonen zählen aus, und mehr als die Hälfte von ihnen muss sich über das Ergebnis einig sein.', 'The stewards count votes, and more than half of them must agree on the result.'],
    [{ rule: 'quorum', to: share(0, 1) }, 'Ein Ergebnis gilt, auch wenn nur wenige abgestimmt haben.', 'A result counts, however few have voted.'],
    [{ rule: 'quorum', to: share(2, 6) }, 'Ein Ergebnis gilt nur, wenn mindestens ein Drittel derer abgestimmt hat, die abstimmen dürfen.', 'A result counts only if at least a third of those who may vote have voted.'],
    [{ rule: 'fund', to: null }, 'Es gibt kein Geld, das eine Jury vergibt.', 'There is no fund that a jury gives away.'],
    [{ rule: 'fund', to: { jurors: 'named', residents: share(0, 1), cap: null } }, 'Eine Jury vergibt das Geld. Der Rat benennt sie. Für ein Vorhaben gibt es keine Grenze.', 'A jury gives away the money. The council names it. There is no limit for one project.'],
  ];
  it.each(amendments)('%j', async (amendment, de, en) => {
    await setLocale('de');
    expect(ruleText(amendment)).toBe(de);
    await setLocale('en');
    expect(ruleText(amendment)).toBe(en);
    await setLocale('de');
  });
  it('every share can be said, and every rule is the one of its name', () => {
    expect([share(1, 4), share(2, 3), share(51, 100), share(2, 7), share(1, 1)].map((one) => shareText(one).replace('\u00a0', ' '))).toEqual(['ein Viertel', 'zwei Drittel', '51 %', '2 von 7 Teilen', 'alle']);
    for (const charter of templates) for (const rule of rules) expect(ruleOf(charter, rule).rule).toBe(rule);
  });
});

describe('what a motion takes', () => {
  const people = (n: number): Person[] => Array.from({ length: n }, (_, k) => ({ id: `p${k}`, name: `P${k}`, initials: 'P', me: k === 0 }));
  const council = (stewards: number, voices: number, me = { steward: true, voice: true }): Council => ({
    charter: templates[0] as never, me: 'member', ...me, stewards: people(stewards), voices: people(voices), motions: [], former: [], asking: [], invitations: [], hidden: [], erased: [], late: [], copied: [], putOff: [], stuck: false, needsUpdate: false,
  });
  it('more than half of either', () => {
    const need = (stewards: number, voices: number) => { const way = takes(council(stewards, voices)); return [way.stewards?.need ?? null, way.voices?.need ?? null, way.atOnce]; };
    expect(need(1, 1)).toEqual([1, 1, true]);
    expect(need(2, 5)).toEqual([2, 3, false]);
    expect(need(3, 4)).toEqual([2, 3, false]);
    expect(need(0, 1)).toEqual([null, 1, true]);
    expect(takes(council(1, 3, { steward: false, voice: true })).atOnce).toBe(false);
  });
  it('in plain words', async () => {
    await setLocale('de');
    expect(takesText(council(1, 3))).toEqual(['Ihre Unterschrift allein genügt: Es gilt sofort.']);
    expect(takesText(council(2, 5))).toEqual(['Beide Vertrauenspersonen müssen unterschreiben.', 'Oder mehr als die Hälfte der 5 Personen mit Stimme im Rat: 3.', 'Ihre Unterschrift steht darauf, sobald Sie es beantragen.']);
    expect(takesText(council(3, 5, { steward: false, voice: false }))).toEqual(['2 von 3 Vertrauenspersonen müssen unterschreiben.', 'Oder mehr als die Hälfte der 5 Personen mit Stimme im Rat: 3.']);
    expect(takesText(council(0, 5, { steward: false, voice: false }))).toEqual(['Mehr als die Hälfte der 5 Personen mit Stimme im Rat muss unterschreiben: 3.']);
  });
  it('what is missing; and enough that knew nothing of each other', async () => {
    await setLocale('de');
    const motion = (stewardsSigned: number, voicesSigned: number) => ({ stewardsSigned, voicesSigned }) as MotionCard;
    expect(missing(council(2, 5), motion(1, 2))).toEqual({ stewards: 1, voices: 1, apart: false });
    expect(missingText(council(2, 5), motion(1, 1))).toBe('Es fehlt noch 1 Vertrauensperson. Oder 2 Personen mit Stimme im Rat.');
    expect(missingText(council(2, 5), motion(2, 2))).toMatch(/noch einmal/);
  });
});

describe('the council', () => {
  it('a removal says what it means and takes, wants a reason, and the other steward signs it', async () => {
    const { backend } = await open('#/people/a1', { size: 'council' });
    await screen.findByRole('heading', { level: 1, name: 'Jan Kosmala' }, long);
    const fold = await unfold('Aus der Gruppe ausschließen');
    await byText('Was Jan Kosmala geschrieben hat, bleibt: Ideen, Kommentare, Stimmen.', fold);
    await byText('Beide Vertrauenspersonen müssen unterschreiben.', fold);
    const reason = within(fold).getByLabelText(/^Grund/) as HTMLInputElement;
    expect(reason.required).toBe(true);
    await fireEvent.input(reason, { target: { value: 'Weil.' } });
    await fireEvent.submit(reason.form as HTMLFormElement);
    await byText('Es fehlt noch 1 Vertrauensperson. Oder 2 Personen mit Stimme im Rat.');
    const motion = ((await backend.ask({ ask: 'council', group: '00ff' })) as Council).motions[0];
    expect(motion).toMatchObject({ wish: { kind: 'remove', person: 'a1' }, reason: 'Weil.', state: 'open' });
    backend.otherSigns('d1', motion?.id ?? '');
    await byText('Dieser Mensch ist nicht in der Gruppe.');
    goTo('#/people');
    const former = (await screen.findByRole('heading', { name: 'Nicht mehr dabei' }, long)).closest('section') as HTMLElement;
    await waitFor(() => expect(plain(former.textContent ?? '')).toMatch(/Jan Kosmala wurde.*ausgeschlossen\. Unterschrieben: Sie und Danuta Wrona\..*Weil\./s), long);
    expect(former.textContent).toMatch(/3 Sachen kamen danach\. Sie kamen von jemandem, der die Gruppe verlassen hat, und zählen deshalb nicht\./);
  });
  it('what waits for my signature is under “Today”, and is signed there', async () => {
    const { backend } = await open('#/today', { size: 'council' });
    const heading = await screen.findByRole('heading', { name: /Ben Adamek.* wird aus der Gruppe ausgeschlossen/ }, long);
    await fireEvent.click(await button('Unterschreiben', heading.closest('article') as HTMLElement));
    await waitFor(() => expect(screen.queryByRole('heading', { name: /Ben Adamek/ })).toBeNull(), long);
    expect(backend.log).toContainEqual({ act: 'sign', group: '00ff', motion: 'm1' });
    expect(await screen.findByText('Sie haben unterschrieben. Der Antrag ist angenommen.', { selector: '.toast *' }, long)).toBeTruthy();
  });
  it('a motion of somebody else is said when it comes', async () => {
    const { backend } = await open('#/tasks');
    await screen.findByRole('heading', { level: 1, name: 'Aufgaben' }, long);
    backend.otherProposes('d1', { kind: 'remove', person: 'a2' }, 'Weil.');
    await waitFor(() => expect(document.querySelector('[role=status]')?.textContent).toContain('Ein Antrag wartet auf Ihre Unterschrift.'), long);
  });
  it('a new wording of a rule is read before it is proposed; one that is none cannot be', async () => {
    const { backend } = await open('#/people/rules', { size: 'council' });
    await screen.findByText('Ein Ergebnis gilt nur, wenn mindestens ein Viertel derer abgestimmt hat, die abstimmen dürfen.', {}, long);
    const heading = screen.getByRole('heading', { name: 'Hereinkommen' });
    const row = heading.closest('li') as HTMLElement;
    const fold = row.querySelector('details') as HTMLDetailsElement;
    fold.open = true;
    await fireEvent(fold, new Event('toggle'));
    const field = await within(row).findByLabelText(/Wie viele Mitglieder/, {}, long);
    const propose = (await button('Beantragen', row)) as HTMLButtonElement;
    expect(propose.disabled).toBe(true);
    for (const bad of ['21', 'viele', '-1', '']) {
      await fireEvent.input(field, { target: { value: bad } });
      expect(propose.disabled).toBe(true);
    }
    await fireEvent.input(field, { target: { value: '2' } });
    await byText('Außer dem, der einlädt, müssen 2 Mitglieder den neuen Menschen kennen.', row);
    await fireEvent.click(propose);
    await waitFor(() => expect(backend.log).toContainEqual({ act: 'propose', group: '00ff', wish: { kind: 'amend', amendment: { rule: 'vouchers', to: 2 } }, reason: '' }), long);
  });
  it('somebody who asks is vouched for; an invitation of mine is taken back', async () => {
    const { backend } = await open('#/people', { size: 'council' });
    await fireEvent.click(await button(/^Ich kenne sie/));
    expect(await screen.findByText('Sie haben gesagt, dass Sie sie kennen.', {}, long)).toBeTruthy();
    await fireEvent.click(await button('Zurücknehmen'));
    await waitFor(() => expect(screen.queryByRole('button', { name: 'Zurücknehmen' })).toBeNull(), long);
    expect(backend.log).toContainEqual({ act: 'vouch', group: '00ff', ask: 'k1' });
    expect(backend.log).toContainEqual({ act: 'withdraw', group: '00ff', invitation: 'n1' });
    await byText(/Das Profil von Oksana Tkachuk war auf zwei Computern/);
  });
  it('who leaves reads on and is offered nothing to write', async () => {
    await open('#/people');
    await screen.findByRole('heading', { name: 'Die Gruppe verlassen' }, long);
    await fireEvent.click(await button(/Zawodzie.* jetzt verlassen/));
    expect(await screen.findByText('Sie haben diese Gruppe verlassen', {}, long)).toBeTruthy();
    expect(screen.queryByRole('button', { name: /Jemanden einladen/ })).toBeNull();
  });
});

describe('who does not write here any more', () => {
  const heads = { removed: 'Sie sind nicht mehr in dieser Gruppe', left: 'Sie haben diese Gruppe verlassen', 'device-out': 'Dieser Computer schreibt in dieser Gruppe nicht mehr', void: 'Ihr Platz in dieser Gruppe gilt nicht mehr' } as const;
  const asking = /Idee aufschreiben|Mitschreiben|Neue Aufgabe|Jemanden einladen|Kommentar dazugeben|Kosten und Ort|abstimmen$|Stimmzettel|beantragen|Beantragen|Aufgabe hinzufügen|Abstimmung beginnen|Ich übernehme|Ich fange an|Für immer löschen|Alles löschen|Unterschreiben$/;
  it.each((Object.keys(heads) as (keyof typeof heads)[]).flatMap((me) => ['today', 'ideas', 'ideas/09', 'decisions/e1', 'tasks/all', 'people', 'people/motions', 'people/rules', 'people/d1', 'settings'].map((place) => [me, place] as const)))('%s, %s: it is said, and nothing to write is offered', async (me, place) => {
    const { container } = await open(`#/${place}`, { size: me });
    await screen.findByText(heads[me], {}, long);
    await waitFor(() => expect(container.querySelector('main h1')).toBeTruthy(), long);
    const offered = [...container.querySelectorAll('main button, main summary, main a.btn')].map((one) => (one.textContent ?? '').trim());
    expect(offered.filter((text) => asking.test(text))).toEqual([]);
    expect([...container.querySelectorAll<HTMLInputElement>('main .task input')].every((box) => box.disabled)).toBe(true);
  });
  it('removed: by whom, why, and what it means', async () => {
    await open('#/today', { size: 'removed' });
    await byText(/Danuta Wrona, Zofia Malik und Jan Kosmala haben am .* beschlossen, Sie auszuschließen\./);
    await byText(/Der Schlüssel zum Keller war zweimal weg\./);
    await byText(/Niemand hat Ihnen Ihre Kopie weggenommen\./);
  });
});

describe('what the council hides', () => {
  it('an idea: folded away with the reason, shown to whoever wants to see it', async () => {
    await open('#/ideas', { size: 'council' });
    await byText('Der Rat hat diese Idee ausgeblendet.');
    expect(screen.queryByText('Neue Bücher für die Bücherei')).toBeNull();
    goTo('#/ideas/02');
    expect(await screen.findByRole('heading', { level: 1, name: /Ausgeblendet/ }, long)).toBeTruthy();
    await byText(/Grund: „Werbung\.“ Unterschrieben: Sie und Danuta Wrona\./);
    await fireEvent.click(await button('Mir zeigen'));
    expect(await screen.findByRole('heading', { level: 1, name: /Neue Bücher für die Bücherei/ }, long)).toBeTruthy();
  });
  it('a comment; and whoever wrote it can ask to have it shown again', async () => {
    const { backend } = await open('#/ideas/03', { size: 'council' });
    await byText('Der Rat hat diesen Kommentar ausgeblendet.');
    const fold = await unfold('Wieder zeigen beantragen');
    await fireEvent.input(within(fold).getByLabelText(/^Grund/), { target: { value: 'Es stimmt ja.' } });
    await fireEvent.click(await button('Beantragen', fold));
    await waitFor(() => expect(backend.log).toContainEqual({ act: 'propose', group: '00ff', wish: { kind: 'show', target: { what: 'comment', author: 'a2', id: 'c1' } }, reason: 'Es stimmt ja.' }), long);
  });
});

describe('beginning and devices', () => {
  it('a group begins with the rules one chose and read', async () => {
    const { backend } = await open('#/start');
    await fireEvent.click(await button('Gruppe gründen'));
    await screen.findByText('Jedes Mitglied darf einladen.', {}, long);
    await fireEvent.click(screen.getByRole('radio', { name: 'Bürgerjury mit Geld' }));
    await screen.findByText(/Sie wird aus allen ausgelost/, {}, long);
    await fireEvent.input(screen.getByLabelText(/Name der Gruppe/), { target: { value: 'Rawa' } });
    await fireEvent.click(await button('Gruppe gründen'));
    await waitFor(() => expect(backend.log).toContainEqual({ act: 'found', name: 'Rawa', purpose: '', template: 'jury' }), long);
  });
  it('a lost computer is shut out', async () => {
    const { backend } = await open('#/settings');
    await unfold(/^Dieser Computer ist verloren/);
    await fireEvent.click(await button('Es ist verloren: ausschließen'));
    await waitFor(() => expect(backend.log).toContainEqual({ act: 'device-retire', device: 'de02c47a9e' }), long);
    await waitFor(() => expect(screen.queryByRole('button', { name: 'Es ist verloren: ausschließen' })).toBeNull(), long);
  });
});
