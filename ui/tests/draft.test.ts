import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { diff } from '../src/lib/text/diff';
import { Draft, type Packed } from '../src/lib/text/draft';
import { heldOps, heldPlace, shownAs, shownPlace } from '../src/lib/text/lines';
import { apply, Builder, compose, fromSplices, move, type Ops, rebase, toSplices } from '../src/lib/text/ops';

const word = fc.string({ unit: fc.constantFrom('a', 'b', ' ', 'ß', '\n', '😀', 'ش', '\u202e'), maxLength: 14 });
/** As others may hold it: with the line ends of other programs. */
const foreign = fc.string({ unit: fc.constantFrom('a', 'b', '\n', '\r', '\r\n', '😀'), maxLength: 14 });

/** A change of this text, never within a pair. */
const change = (text: string) =>
  word.chain((other) => fc.boolean().map((whole): Ops => (whole ? diff(text, other) : diff(text, text.slice(0, cut(text)) + other + text.slice(cut(text))))));
const cut = (text: string) => {
  const middle = Math.floor(text.length / 2);
  return /[\udc00-\udfff]/.test(text.charAt(middle)) ? middle - 1 : middle;
};

describe('changes of a text', () => {
  it('a difference leads from one text to the other', () => {
    fc.assert(fc.property(word, word, (a, b) => apply(a, diff(a, b)) === b));
  });
  it('with the caret too, and the splices say the same', () => {
    fc.assert(
      fc.property(word, word, fc.nat(14), (a, b, caret) => {
        const ops = diff(a, b, Math.min(caret, b.length));
        return apply(a, ops) === b && apply(a, fromSplices(toSplices(ops))) === b;
      }),
    );
  });
  it('splices come from the first to the last, as Kiez wants them; done from the last to the first they give the text as well', () => {
    fc.assert(
      fc.property(word, word, (a, b) => {
        const splices = toSplices(diff(a, b));
        splices.forEach((s, n) => expect(n === 0 || s.at >= (splices[n - 1]?.at ?? 0) + (splices[n - 1]?.delete ?? 0)).toBe(true));
        let text = a;
        for (const s of splices.toReversed()) text = text.slice(0, s.at) + s.insert + text.slice(s.at + s.delete);
        return text === b;
      }),
    );
  });
  it('two changes as one', () => {
    fc.assert(fc.property(word, word, word, (a, b, c) => apply(a, compose(diff(a, b), diff(b, c))) === c));
  });
  it('two changes made apart give the same text in either order', () => {
    const two = word.chain((text) => fc.tuple(fc.constant(text), change(text), change(text)));
    fc.assert(
      fc.property(two, ([text, a, b]) => apply(apply(text, a), rebase(b, a, false)) === apply(apply(text, b), rebase(a, b, true))),
    );
  });
  it('no pair is cut', () => {
    expect(diff('😀', '😁')).toEqual(['😁', -2]);
  });
  it('the caret says which of two equal letters was typed', () => {
    expect(diff('aab', 'aaab', 1)).toEqual(['a']);
    expect(diff('aab', 'aaab', 3)).toEqual([2, 'a']);
  });
  it('a place moves with what comes before it', () => {
    expect(move(3, [1, 'xx'], true)).toBe(5);
    expect(move(3, [1, -1], true)).toBe(2);
    expect(move(3, [1, -4], true)).toBe(1);
    expect(move(3, [3, 'xx'], true)).toBe(3);
    expect(move(3, [3, 'xx'], false)).toBe(5);
  });
  it('inserts stand before drops', () => {
    expect(new Builder().drop(2).put('a').put('b').done()).toEqual(['ab', -2]);
  });
});

describe('line ends of other programs', () => {
  it('the field shows one sign for each, and what is typed there leads to what it shows', () => {
    fc.assert(fc.property(foreign, word, (held, typed) => shownAs(apply(held, heldOps(held, diff(shownAs(held), typed)))) === typed), { numRuns: 2000 });
    fc.assert(fc.property(foreign, fc.nat(14), word, (held, at, typed) => {
      const shown = shownAs(held);
      const next = shown.slice(0, at) + typed + shown.slice(at);
      return shownAs(apply(held, heldOps(held, diff(shown, next, at + typed.length)))) === next;
    }), { numRuns: 2000 });
  });
  it('places are the same, there and back', () => {
    fc.assert(fc.property(foreign, fc.nat(20), (held, at) => {
      const place = Math.min(at, shownAs(held).length);
      expect(shownPlace(held, heldPlace(held, place))).toBe(place);
      expect(shownAs(held.slice(0, heldPlace(held, place)))).toBe(shownAs(held).slice(0, place));
    }), { numRuns: 2000 });
  });
  it.each([
    ['behind the lines', 'a\r\nb\r\nc', 'a\nb\ncX', [{ at: 7, delete: 0, insert: 'X' }]],
    ['between them', 'a\r\nb\r\nc', 'a\nXb\nc', [{ at: 3, delete: 0, insert: 'X' }]],
    ['a line end taken out', 'a\r\nb', 'ab', [{ at: 1, delete: 2, insert: '' }]],
    ['behind a lone one', 'a\rb', 'a\nbX', [{ at: 3, delete: 0, insert: 'X' }]],
    ['a line put behind a lone one', 'a\rb', 'a\n\nb', [{ at: 1, delete: 1, insert: '\n\n' }]],
    ['what stood between two halves', 'a\rX\nb', 'a\n\nb', [{ at: 1, delete: 2, insert: '\n' }]],
  ])('splices are about the held text: %s', (_, held, typed, splices) => {
    const draft = new Draft({ text: held, heads: '0' });
    draft.type(typed);
    expect(draft.shown).toBe(typed);
    expect(draft.take()?.splices).toEqual(splices);
  });
  it('the caret stays at its word', () => {
    const draft = new Draft({ text: 'a\r\nb\r\nWort', heads: '0' });
    expect(draft.news({ text: 'Neu\r\na\r\nb\r\nWort', heads: '1' }, { start: 6, end: 8 })).toEqual({ start: 10, end: 12 });
  });
});

/** The other side, as Kiez does it: splices against old heads are laid over what came since. */
class Server {
  texts: string[];
  changes: Ops[] = [];
  constructor(text: string) {
    this.texts = [text];
  }
  get now() {
    return { text: this.texts.at(-1) ?? '', heads: String(this.changes.length) };
  }
  put(heads: string, ops: Ops) {
    let mine = ops;
    for (const later of this.changes.slice(Number(heads))) mine = rebase(mine, later, false);
    this.texts.push(apply(this.now.text, mine));
    this.changes.push(mine);
    return this.now;
  }
}

describe('writing while others write', () => {
  it('what is shown is what I typed, at once', () => {
    const draft = new Draft({ text: 'Bank', heads: '0' });
    draft.type('Eine Bank', 5);
    expect(draft.shown).toBe('Eine Bank');
    expect(draft.take()).toMatchObject({ heads: '0', splices: [{ at: 0, delete: 0, insert: 'Eine ' }] });
    draft.type('Eine rote Bank', 10);
    expect(draft.take()).toBeNull();
    const caret = draft.answer({ text: 'Eine Bank vor der Post', heads: '2' }, { start: 10, end: 10 });
    expect(draft.shown).toBe('Eine rote Bank vor der Post');
    expect(caret).toEqual({ start: 10, end: 10 });
  });
  it('words of others before my caret push it', () => {
    const draft = new Draft({ text: 'Bank', heads: '0' });
    expect(draft.news({ text: 'Die Bank', heads: '1' }, { start: 4, end: 4 })).toEqual({ start: 8, end: 8 });
  });
  it('what did not arrive is kept', () => {
    const draft = new Draft({ text: '', heads: '0' });
    draft.type('a');
    draft.take();
    draft.type('ab');
    draft.failed();
    expect(draft.take()).toMatchObject({ heads: '0', splices: [{ at: 0, delete: 0, insert: 'ab' }] });
  });
  it('two who write at once end with the same text, and nothing typed is lost', () => {
    const step = fc.record({ who: fc.constantFrom(0, 1), what: fc.constantFrom('type', 'send', 'answer', 'fail', 'news'), at: fc.nat(), text: fc.constantFrom('x', 'yy', '😀', '\n', '') });
    fc.assert(
      fc.property(foreign, fc.array(step, { maxLength: 40 }), (start, steps) => {
        const server = new Server(start);
        const people = [0, 1].map(() => ({ draft: new Draft(server.now), answers: [] as { text: string; heads: string }[] }));
        const caret = { start: 0, end: 0 };
        const send = (person: (typeof people)[number]) => {
          const packed = person.draft.take();
          if (packed) person.answers.push(server.put(packed.heads, fromSplices(packed.splices)));
        };
        const answer = (person: (typeof people)[number]) => {
          const text = person.answers.shift();
          if (text) person.draft.answer(text, caret);
        };
        for (const { who, what, at, text } of steps) {
          const person = people[who];
          if (!person) continue;
          if (what === 'type') {
            const letters = Array.from(person.draft.shown);
            letters.splice(at % (letters.length + 1), text === '' ? 1 : 0, text);
            const next = letters.join('');
            person.draft.type(next);
            expect(person.draft.shown).toBe(next);
          } else if (what === 'send') send(person);
          else if (what === 'answer') answer(person);
          else if (what === 'news' && person.answers.length === 0) person.draft.news(server.now, caret);
          else if (what === 'fail' && person.answers.length === 0) person.draft.failed();
        }
        for (const person of [...people, ...people]) {
          answer(person);
          send(person);
          answer(person);
          person.draft.news(server.now, caret);
        }
        for (const person of people) {
          person.draft.news(server.now, caret);
          expect(person.draft.open).toBe(false);
          expect(person.draft.shown).toBe(shownAs(server.now.text));
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('an answer that was lost', () => {
  const letters = fc.constantFrom('i', 'c', 'h', ' ', '\n', 'ich und noch viel mehr, nicht ich', '');
  const others = fc.array(fc.record({ at: fc.nat(), text: letters, gone: fc.nat(2) }), { maxLength: 4 });
  /** Others write, of the same letters as I; my words in their marks they leave alone. */
  const write = (server: Server, some: { at: number; text: string; gone: number }[]) => {
    for (const { at, text, gone } of some) {
      const places = [...server.now.text.matchAll(/«[^»]*»|./gsu)].map((part) => part.index).concat(server.now.text.length);
      const place = places[at % places.length] ?? 0;
      const away = server.now.text.slice(place, place + gone).includes('«') ? 0 : Math.min(gone, server.now.text.length - place);
      server.put(server.now.heads, new Builder().keep(place).put(text).drop(away).done());
    }
  };
  it('what was sent stands there once, whether it arrived or not, whatever others wrote before and after', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('i', 'c', ' ', '\r\n'), maxLength: 30 }), fc.nat(), fc.array(fc.boolean(), { maxLength: 3 }), others, others, fc.boolean(), (start, at, lost, before, after, more) => {
        const server = new Server(start);
        const draft = new Draft(server.now);
        const caret = { start: 0, end: 0 };
        const done = new Set<string>();
        /** As Kiez does: once, however often it comes. */
        const arrives = (packed: Packed) => {
          if (done.has(packed.once)) return server.now;
          done.add(packed.once);
          return server.put(packed.heads, fromSplices(packed.splices));
        };
        const place = at % (draft.shown.length + 1);
        draft.type(`${draft.shown.slice(0, place)}«ich»${draft.shown.slice(place)}`);
        write(server, before);
        for (const arrived of lost) {
          const packed = draft.take();
          if (packed && arrived) arrives(packed);
          draft.unanswered();
          // What others wrote waits for an answer.
          draft.news(server.now, caret);
          write(server, after);
        }
        if (more) draft.type(`${draft.shown}«mehr»`);
        for (let packed = draft.take(); packed; packed = draft.take()) draft.answer(arrives(packed), caret);
        draft.news(server.now, caret);
        expect(draft.open).toBe(false);
        expect(server.now.text.split('«ich»')).toHaveLength(2);
        expect(server.now.text.split('«mehr»')).toHaveLength(more ? 2 : 1);
        expect(draft.shown).toBe(shownAs(server.now.text));
      }),
      { numRuns: 1000 },
    );
  });
});
