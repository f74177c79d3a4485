import { describe, expect, test } from 'vitest';
import { StopStrings } from '../../../engine/generate/stop-strings.ts';
import { Random } from '../../../engine/random.ts';

/** The texts that come out for the texts that go in, and the rest at the end. */
function stream(
  stops: string[],
  texts: string[],
): { pieces: string[]; rest: string; found: boolean } {
  const filter = new StopStrings(stops);
  const pieces = texts.map((text) => filter.push(text));
  return { pieces, rest: filter.flush(), found: filter.found };
}

describe('stop strings', () => {
  test('without any, text passes at once', () => {
    expect(stream([], ['a', '', 'b'])).toEqual({ pieces: ['a', '', 'b'], rest: '', found: false });
  });

  test('a beginning is held back until it is decided', () => {
    expect(stream(['###'], ['a#', '#b', '#'])).toEqual({
      pieces: ['a', '##b', ''],
      rest: '#',
      found: false,
    });
  });

  test('nothing of a stop string comes out, nor what follows', () => {
    expect(stream(['\nUser:'], ['Hi.\n', 'Us', 'er: and', ' more'])).toEqual({
      pieces: ['Hi.', '', '', ''],
      rest: '',
      found: true,
    });
  });

  test('the earliest of several ends the text', () => {
    expect(stream(['later', 'now'], ['see now or later'])).toEqual({
      pieces: ['see '],
      rest: '',
      found: true,
    });
  });

  test('however the text is cut, what comes out is the text before the first stop string', () => {
    const random = new Random(11);
    for (let round = 0; round < 500; round++) {
      const letters = (count: number): string =>
        Array.from({ length: count }, () => 'ab'[random.below(2)]).join('');
      const stops = [letters(1 + random.below(4)), letters(2 + random.below(4))];
      const texts = Array.from({ length: 6 }, () => letters(random.below(4)));
      const whole = texts.join('');
      const ends = stops.map((stop) => whole.indexOf(stop)).filter((at) => at >= 0);
      const { pieces, rest, found } = stream(stops, texts);
      // A long stop string that begins earlier may lose to a short one that is complete earlier.
      const out = pieces.join('') + rest;
      expect(found).toBe(ends.length > 0);
      expect(whole.startsWith(out)).toBe(true);
      expect(stops.some((stop) => out.includes(stop))).toBe(false);
      if (!found) expect(out).toBe(whole);
    }
  });
});
