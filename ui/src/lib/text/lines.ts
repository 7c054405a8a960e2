/**
 * Line ends. A text may hold "\r\n" or a lone "\r": from a file, or from another program. A text field shows and gives back
 * "\n" for each of them, so its places are not those of the held text. Pure.
 */
import { Builder, type Ops } from './ops';

/** As a field shows it. */
export const shownAs = (held: string): string => held.replace(/\r\n?/g, '\n');

/** How far the end of a line reaches that begins at this unit: "\r\n" is one letter, never cut. */
const step = (held: string, at: number) => (held[at] === '\r' && held[at + 1] === '\n' ? 2 : 1);

/** Where a place of the field is in the held text. */
export function heldPlace(held: string, shown: number): number {
  let at = 0;
  for (let n = 0; n < shown && at < held.length; n += 1) at += step(held, at);
  return at;
}
export const shownPlace = (held: string, place: number): number => shownAs(held.slice(0, place)).length - (held[place - 1] === '\r' && held[place] === '\n' ? 1 : 0);

/** A change of what the field shows, as a change of the held text: what it leads to is shown as the field shows it. */
export function heldOps(held: string, ops: Ops): Ops {
  const pieces: { what: 'keep' | 'drop' | 'put'; text: string; lone: number }[] = [];
  let at = 0;
  for (const op of ops) {
    if (typeof op === 'string') {
      pieces.push({ what: 'put', text: op, lone: 0 });
      continue;
    }
    const from = at;
    for (let n = 0; n < Math.abs(op) && at < held.length; n += 1) at += step(held, at);
    pieces.push({ what: op > 0 ? 'keep' : 'drop', text: held.slice(from, at), lone: 0 });
  }
  pieces.push({ what: 'keep', text: held.slice(at), lone: 0 });
  // Lone "\r"s that come to stand before a "\n" would become one line end with it: they are written as "\n" then.
  let breaks = false;
  for (const piece of pieces.toReversed()) {
    if (piece.what === 'drop' || piece.text === '') continue;
    if (piece.what === 'keep' && breaks) piece.lone = /\r+$/.exec(piece.text)?.[0].length ?? 0;
    breaks = piece.text.startsWith('\n') || piece.lone === piece.text.length;
  }
  const out = new Builder();
  for (const { what, text, lone } of pieces) {
    if (what === 'put') out.put(text);
    else if (what === 'drop') out.drop(text.length);
    else out.keep(text.length - lone).put('\n'.repeat(lone)).drop(lone);
  }
  return out.done();
}
