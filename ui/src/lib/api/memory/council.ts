/** How a group in memory governs itself: motions, signatures and what they do. As Kiez: more than half of the stewards, or of those with a voice. */
import { KiezError } from '../error';
import type { Amendment, CharterCard, Council, ErasedCard, ErasesCard, FormerCard, LateCard, PutOffCard, HiddenCard, Hideable, IdeaRef, MotionCard, Person, Role, Standing, Wish } from '../types';
import { DAY, type Human, NOW } from './example';

export const templates: CharterCard[] = [
  { template: 'circle', inviters: 'members', vouchers: 0, counters: 'opener', quorum: { numerator: 0, denominator: 1 }, fund: null },
  { template: 'association', inviters: 'stewards', vouchers: 0, counters: 'stewards', quorum: { numerator: 1, denominator: 4 }, fund: null },
  { template: 'jury', inviters: 'stewards', vouchers: 1, counters: 'stewards', quorum: { numerator: 1, denominator: 2 }, fund: { jurors: 'drawn', residents: { numerator: 51, denominator: 100 }, cap: 5000 } },
];

export interface Move { id: string; wish: Wish; by: string; reason: string; ago: number; signers: string[]; carried: boolean; erases?: ErasesCard }
export interface Gone { human: Human; how: Standing; motion: string | null; beyond: number }
/** Something that was erased: somebody's own, or (by a motion) what stood in an idea. */
export interface Wiped { id: string; by: string[]; idea: string | null; reason: string | null; at: number; late?: number; lateMine?: number }
/** What a group's council holds at first. */
export interface Governed {
  charter: CharterCard; voices: string[]; moves: Move[]; gone: Gone[]; asking: { id: string; code: string; vouched: string[] }[];
  invitations: { id: string; by: string; role: Role; days: number }[]; hidden: { target: Hideable; motion: string }[]; erased: Wiped[]; copied: string[]; putOff: { who: string; entries: number; days: number }[]; stuck: boolean; me: Standing;
}
export const plain = (people: Human[]): Governed => ({
  charter: templates[0] as CharterCard, voices: people.filter((human) => human.role !== 'observer').map((human) => human.id).slice(0, 5), moves: [], gone: [], asking: [], invitations: [], hidden: [], erased: [], copied: [], putOff: [], stuck: false, me: 'member',
});
const left = (id: string, name: string): Human => ({ id, name, role: 'member', devices: 1, behind: null, contact: null, near: false });
/** A council with everything that can be before it. `me`: where I stand in it. */
export const busy = (me: Standing): Governed => ({
  charter: { ...(templates[1] as CharterCard), template: null, vouchers: 1, fund: { jurors: 'named', residents: { numerator: 51, denominator: 100 }, cap: 5000 } },
  voices: ['b1', 'd1', 'f1', 'a1', 'a2'],
  moves: [
    { id: 'm1', wish: { kind: 'remove', person: 'a3' }, by: 'd1', reason: 'Er hat zum dritten Mal Fremden unsere Adressen gegeben.', ago: 3_600_000, signers: ['d1'], carried: false },
    { id: 'm9', wish: { kind: 'erase', idea: '03' }, by: 'd1', reason: 'Eine Telefonnummer.', ago: 1.5 * DAY, signers: ['d1'], carried: false, erases: {
      entries: 12, left: 'other', differs: ['text', 'cost'], later: 2, reads: { title: 'Eine Bank für alle', body: 'So stand es da, bevor Jan weiterschrieb.', cost: 900, place: null, categories: ['Plätze'], targets: [] } } },
    { id: 'm2', wish: { kind: 'amend', amendment: { rule: 'quorum', to: { numerator: 1, denominator: 3 } } }, by: 'b1', reason: '', ago: 2 * DAY, signers: ['b1'], carried: false },
    { id: 'm3', wish: { kind: 'show', target: { what: 'comment', author: 'a2', id: 'c1' } }, by: 'a2', reason: 'Das war doch nur ein Scherz.', ago: 2.5 * DAY, signers: ['a2'], carried: false },
    { id: 'm4', wish: { kind: 'remove', person: 'x1' }, by: 'b1', reason: 'Sie hat in unserem Namen Geld gesammelt.', ago: 9 * DAY, signers: ['b1', 'd1'], carried: true },
    { id: 'm5', wish: { kind: 'hide', target: { what: 'comment', author: 'a2', id: 'c1' } }, by: 'd1', reason: 'Beleidigt Nachbarn.', ago: 12 * DAY, signers: ['d1', 'f1', 'a1'], carried: true },
    { id: 'm6', wish: { kind: 'hide', target: { what: 'idea', id: '02' } }, by: 'd1', reason: 'Werbung.', ago: 13 * DAY, signers: ['d1', 'b1'], carried: true },
    { id: 'm7', wish: { kind: 'confirm', person: 'a2' }, by: 'd1', reason: '', ago: 40 * DAY, signers: ['d1', 'b1'], carried: true },
    ...(me === 'removed' ? [{ id: 'm8', wish: { kind: 'remove', person: 'b1' } as const, by: 'd1', reason: 'Der Schlüssel zum Keller war zweimal weg.', ago: DAY, signers: ['d1', 'f1', 'a1'], carried: true }] : []),
  ],
  gone: [
    { human: left('x1', 'Ewa Lis'), how: 'removed', motion: 'm4', beyond: 3 }, { human: left('x2', 'Piotr Zając'), how: 'left', motion: null, beyond: 0 },
    ...(me === 'removed' || me === 'left' ? [{ human: left('b1', ''), how: me, motion: me === 'removed' ? 'm8' : null, beyond: 0 }] : []),
  ],
  asking: [{ id: 'k1', code: '418 077', vouched: ['a1'] }],
  invitations: [{ id: 'n1', by: 'b1', role: 'member', days: 10 }, { id: 'n2', by: 'd1', role: 'observer', days: 3 }],
  hidden: [{ target: { what: 'comment', author: 'a2', id: 'c1' }, motion: 'm5' }, { target: { what: 'idea', id: '02' }, motion: 'm6' }],
  erased: [{ id: 'e1', by: ['d1', 'b1'], idea: '06', reason: 'Eine Telefonnummer.', at: NOW() - 5 * DAY, late: 3, lateMine: 1 }, { id: 'e2', by: ['a2'], idea: null, reason: null, at: NOW() - 6 * DAY }],
  copied: ['a4'], putOff: [{ who: 'a4', entries: 64_000, days: 2 }], stuck: false, me,
});

/** What the council needs of its group. */
export interface Around { people: Map<string, Human>; me: string; person(id: string): Person; idea(id: string): IdeaRef | null;
  /** What would be left of an idea. */
  left(id: string): ErasesCard;
  comment(id: string): { idea: string; text: string } | null; id(): string }

export class Governing {
  readonly #now: Governed;
  readonly #around: Around;
  constructor(now: Governed, around: Around) {
    this.#now = structuredClone(now);
    this.#around = around;
    for (const { human } of this.#now.gone) if (human.id === around.me) around.people.delete(human.id);
  }
  name(id: string): string | null {
    return this.#now.gone.find(({ human }) => human.id === id)?.human.name ?? null;
  }
  voice = (id: string): boolean => this.#voices.includes(id);
  get #stewards() {
    return [...this.#around.people.values()].filter((human) => human.role === 'steward').map((human) => human.id);
  }
  get #voices() {
    return this.#now.voices.filter((id) => this.#around.people.has(id));
  }
  #signed(move: Move, all: string[]) {
    return move.signers.filter((id) => all.includes(id)).length;
  }
  #may(id: string) {
    return this.#stewards.includes(id) || this.#voices.includes(id);
  }
  #motion(move: Move): MotionCard {
    const { me, person, idea, comment } = this.#around;
    const { wish } = move;
    const words = 'target' in wish && wish.target.what === 'comment' ? comment(wish.target.id) : null;
    const about = 'person' in wish ? wish.person : 'target' in wish && wish.target.what === 'comment' ? wish.target.author : null;
    const where = wish.kind === 'erase' ? wish.idea : words?.idea ?? ('target' in wish && wish.target.what === 'idea' ? wish.target.id : null);
    return {
      id: move.id, wish, about: about === null ? null : person(about), idea: where === null ? null : idea(where), words: words?.text ?? null, by: person(move.by), reason: move.reason, at: NOW() - move.ago,
      signers: move.signers.map(person), state: move.carried ? 'carried' : 'open', stewardsSigned: this.#signed(move, this.#stewards), voicesSigned: this.#signed(move, this.#voices),
      canSign: this.#now.me === 'member' && !move.carried && !move.signers.includes(me) && this.#may(me),
      erases: move.carried || wish.kind !== 'erase' ? null : move.erases ?? this.#around.left(wish.idea),
    };
  }
  get answer(): Council {
    const { me, person, idea } = this.#around;
    const now = this.#now;
    const reason = (id: string) => now.moves.find((move) => move.id === id)?.reason ?? '';
    return {
      charter: now.charter, me: now.me, steward: this.#stewards.includes(me), voice: this.#voices.includes(me), stewards: this.#stewards.map(person), voices: this.#voices.map(person),
      motions: now.moves.toSorted((a, b) => a.ago - b.ago).map((move) => this.#motion(move)), former: now.gone.map(({ human, how, motion, beyond }): FormerCard => ({ person: person(human.id), how, motion, beyond })),
      putOff: now.putOff.map(({ who, entries, days }): PutOffCard => ({ person: person(who), entries, since: NOW() - days * DAY, until: NOW() + DAY / 24 })),
      asking: now.asking.map((one) => ({ id: one.id, code: one.code, vouched: one.vouched.map(person), mine: one.vouched.includes(me) })),
      invitations: now.invitations.map((one) => ({ id: one.id, by: person(one.by), role: one.role, expires: NOW() + one.days * DAY })),
      hidden: now.hidden.map((one): HiddenCard => ({ ...one, reason: reason(one.motion) })), copied: now.copied.map(person), stuck: now.stuck, needsUpdate: false,
      late: now.erased.flatMap((one): LateCard[] => (one.idea !== null && one.lateMine ? [{ id: `late ${one.id}`, idea: idea(one.idea), text: 'Und der Hahn tropft auch.' }] : [])),
      erased: now.erased.map((one): ErasedCard => ({ id: one.id, own: one.idea === null ? person(one.by[0] ?? '') : null, idea: one.idea === null ? null : idea(one.idea), by: one.by.map(person), reason: one.reason, at: one.at, late: one.late ?? 0, lateMine: one.lateMine ?? 0 })),
    };
  }

  #writing() {
    if (this.#now.me !== 'member') throw new KiezError('not-admitted');
  }
  propose(wish: Wish, reason: string, by = this.#around.me): string {
    this.#writing();
    const move: Move = { id: this.#around.id(), wish, by, reason, ago: 0, signers: this.#may(by) ? [by] : [], carried: false };
    this.#now.moves.unshift(move);
    this.#judge(move);
    return move.id;
  }
  sign(id: string, by = this.#around.me): string {
    this.#writing();
    const move = this.#now.moves.find((one) => one.id === id);
    if (!move) throw new KiezError('not-found', id);
    if (move.carried || !this.#may(by)) throw new KiezError('not-allowed');
    if (!move.signers.includes(by)) move.signers.push(by);
    this.#judge(move);
    return this.#around.id();
  }
  #judge(move: Move) {
    const most = (all: string[]) => this.#signed(move, all) > all.length / 2;
    if (!most(this.#stewards) && !most(this.#voices)) return;
    move.carried = true;
    this.#does(move);
  }
  #does({ id, wish }: Move) {
    const now = this.#now;
    const { people, me } = this.#around;
    if ('person' in wish) {
      const human = people.get(wish.person);
      if (!human) return;
      if (wish.kind === 'remove') {
        people.delete(human.id);
        now.gone.push({ human, how: 'removed', motion: id, beyond: 0 });
        if (human.id === me) now.me = 'removed';
        return;
      }
      if (wish.kind === 'promote' || wish.kind === 'demote') human.role = wish.role;
      if (wish.kind === 'confirm' || (wish.kind === 'promote' && wish.role === 'steward')) now.voices = [...new Set([...now.voices, human.id])];
    }
    if (wish.kind === 'amend') now.charter = amended(now.charter, wish.amendment);
    if (wish.kind === 'revoke') now.invitations = now.invitations.filter((one) => one.id !== wish.invitation);
    if (wish.kind === 'erase') this.wiped(wish.idea, this.#now.moves.find((move) => move.id === id)?.signers ?? [], this.#now.moves.find((move) => move.id === id)?.reason ?? '');
    if (wish.kind === 'hide') now.hidden.push({ target: wish.target, motion: id });
    if (wish.kind === 'show') now.hidden = now.hidden.filter(({ target }) => JSON.stringify(target) !== JSON.stringify(wish.target));
  }
  /** Something was erased: somebody's own where it is in no idea. */
  wiped(idea: string | null, by: string[], reason: string | null): string {
    this.#writing();
    const id = this.#around.id();
    this.#now.erased.unshift({ id, by, idea, reason, at: NOW() });
    return id;
  }
  vouch(id: string): string {
    this.#writing();
    const one = this.#now.asking.find((asking) => asking.id === id);
    if (!one) throw new KiezError('not-found', id);
    one.vouched = [...new Set([...one.vouched, this.#around.me])];
    return this.#around.id();
  }
  invited(role: Role) {
    this.#now.invitations.unshift({ id: this.#around.id(), by: this.#around.me, role, days: 14 });
  }
  withdraw(id: string): string {
    this.#writing();
    this.#now.invitations = this.#now.invitations.filter((one) => one.id !== id);
    return this.#around.id();
  }
  leave(): string {
    this.#writing();
    const { me, people } = this.#around;
    const human = people.get(me);
    people.delete(me);
    this.#now.me = 'left';
    if (human) this.#now.gone.push({ human, how: 'left', motion: null, beyond: 0 });
    return this.#around.id();
  }
}

function amended(charter: CharterCard, amendment: Amendment): CharterCard {
  const fresh = { ...charter, [amendment.rule]: amendment.to, template: null };
  const same = templates.find((one) => JSON.stringify({ ...one, template: null }) === JSON.stringify(fresh));
  return { ...fresh, template: same?.template ?? null };
}
