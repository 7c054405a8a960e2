/** What the council is asked, what it takes and what it means, in plain words. */
import type { Council, Differing, ErasedCard, ErasesCard, IdeaRef, MotionCard, Person, Wish } from '../api';
import { missing, takes } from '../council';
import { several } from './format';
import { apart } from './said';
import { m } from './index';

export const nameOf = (person: Person | null): string => (person?.me ? m.you_within() : apart(person?.name ?? m.somebody()));
/** "You, Anna and Ben". */
export const namesOf = (people: Person[], shown = 5): string =>
  several(people.toSorted((a, b) => Number(b.me) - Number(a.me)).map((person, n) => (person.me ? (n === 0 ? m.you() : m.you_within()) : nameOf(person))), shown);

/** In one line. What it is about may not have come yet. */
export function wishText(wish: Wish | null, about: Person | null, idea: IdeaRef | null = null): string {
  const name = apart(about?.name ?? m.somebody());
  switch (wish?.kind) {
    case 'confirm': return m.wish_confirm({ name });
    case 'promote': return wish.role === 'steward' ? m.wish_steward({ name }) : m.wish_member({ name });
    case 'demote': return m.wish_no_steward({ name });
    case 'remove': return m.wish_remove({ name });
    case 'revoke': return m.wish_revoke();
    case 'amend': return m.wish_amend();
    case 'hide':
    case 'show': {
      const hide = wish.kind === 'hide';
      if (wish.target.what === 'comment') return hide ? m.wish_hide_comment({ name }) : m.wish_show_comment({ name });
      const title = apart(idea?.title ?? m.somebody());
      return hide ? m.wish_hide_idea({ title }) : m.wish_show_idea({ title });
    }
    case 'erase': return m.wish_erase_idea({ title: apart(idea?.title ?? m.somebody()) });
    case undefined: return m.wish_gone();
  }
}

/** What follows from it, in sentences. */
export function meansText(wish: Wish, about: Person | null, erases: ErasesCard | null = null): string[] {
  const name = apart(about?.name ?? m.somebody());
  switch (wish.kind) {
    case 'confirm': return [m.means_confirm({ name })];
    case 'promote': return [wish.role === 'steward' ? m.means_steward({ name }) : m.means_member({ name })];
    case 'demote': return [m.means_no_steward({ name })];
    case 'remove': return [m.means_remove_stays({ name }), m.means_remove_after({ name }), m.means_remove_reads({ name }), m.means_remove_told({ name })];
    case 'revoke': return [m.means_revoke()];
    case 'hide': return [m.means_hide()];
    case 'show': return [m.means_show()];
    // Who is to sign is told what stays, and that may not be what stands there now.
    case 'erase': return [erases ? m.means_erase_past() : m.means_erase_stays(), m.means_erase_limits(), m.means_erase_votes(), m.means_erase_final()];
    case 'amend': return [];
  }
}

/** "the title, the text and the cost". */
export const differsText = (differs: Differing[]): string => several(differs.map((one) => differing[one]()), differs.length);
const differing: Record<Differing, () => string> = {
  title: m.differs_title, text: m.differs_text, cost: m.differs_cost, place: m.differs_place, categories: m.differs_categories, targets: m.differs_targets, other: m.differs_other,
};

/** What it was that was erased. */
export function erasedText({ own, idea }: ErasedCard): string {
  if (own) return own.me ? m.erased_of_you() : m.erased_of_person({ name: nameOf(own) });
  return idea ? m.erased_of_idea({ title: apart(idea.title) }) : m.erased_of_other();
}

/** What it takes before it counts, if I propose it. */
export function takesText(council: Council): string[] {
  const { stewards, voices, atOnce, mine } = takes(council);
  if (atOnce) return [m.takes_at_once()];
  const all: string[] = [];
  if (stewards?.of === 1) all.push(m.takes_steward({ name: nameOf(council.stewards[0] ?? null) }));
  else if (stewards?.of === 2) all.push(m.takes_both());
  else if (stewards) all.push(m.takes_stewards(stewards));
  if (voices) all.push(stewards ? m.takes_or_voices(voices) : m.takes_voices(voices));
  if (mine) all.push(m.takes_with_yours());
  return all;
}

/** What an open motion still waits for. */
export function missingText(council: Council, motion: MotionCard): string {
  const { stewards, voices, apart: enough } = missing(council, motion);
  if (enough) return m.motion_enough_apart();
  const all: string[] = [];
  if (stewards !== null) all.push(m.missing_stewards({ count: stewards }));
  if (voices !== null) all.push(stewards === null ? m.missing_voices({ count: voices }) : m.missing_or_voices({ count: voices }));
  return all.join(' ');
}
