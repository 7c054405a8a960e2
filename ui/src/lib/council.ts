/** How many signatures a motion needs and has: more than half of the stewards, or more than half of the people with a voice. Pure. */
import type { Council, HiddenCard, Hideable, MotionCard } from './api';

const most = (of: number): number => Math.floor(of / 2) + 1;

/** What a motion takes, if I propose it now. */
export interface Takes {
  stewards: { need: number; of: number } | null;
  voices: { need: number; of: number } | null;
  /** My own signature is enough. */
  atOnce: boolean;
  /** Does my signature count at all? */
  mine: boolean;
}
export function takes(council: Council): Takes {
  const stewards = council.stewards.length;
  const voices = council.voices.length;
  return {
    stewards: stewards === 0 ? null : { need: most(stewards), of: stewards },
    voices: voices === 0 ? null : { need: most(voices), of: voices },
    atOnce: (council.steward && most(stewards) === 1) || (council.voice && most(voices) === 1),
    mine: council.steward || council.voice,
  };
}

/** How many signatures are missing still. `null`: that way there is nobody. Both 0 or less: enough have signed, apart from each other. */
export function missing(council: Council, motion: MotionCard): { stewards: number | null; voices: number | null; apart: boolean } {
  const { stewards, voices } = takes(council);
  const left = (way: Takes['stewards'], signed: number) => (way === null ? null : way.need - signed);
  const ways = { stewards: left(stewards, motion.stewardsSigned), voices: left(voices, motion.voicesSigned) };
  return { ...ways, apart: Object.values(ways).some((way) => way !== null && way <= 0) };
}

/** Does it wait for my signature: can I sign it, and have not yet? */
export const waitsForMe = (motion: MotionCard): boolean => motion.state === 'open' && motion.canSign;

/** May I write in this group? As long as nothing else is known, yes. */
export const mayWrite = (council: Council | undefined): boolean => council === undefined || council.me === 'member';

const same = (a: Hideable, b: Hideable): boolean =>
  a.what === 'idea' ? b.what === 'idea' && a.id === b.id : b.what === 'comment' && a.id === b.id && a.author === b.author;
/** How something came to be hidden, if it is. */
export const hiddenBy = (council: Council | undefined, target: Hideable): HiddenCard | null => council?.hidden.find((card) => same(card.target, target)) ?? null;
export const motionOf = (council: Council, id: string | null): MotionCard | null => council.motions.find((motion) => motion.id === id) ?? null;
