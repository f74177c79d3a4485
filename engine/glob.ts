/** Whether a path holds a pattern's `*` or `?`. */
export function isGlob(path: string): boolean {
  return /[*?]/.test(path);
}

/** A place in a pattern. */
interface Step {
  /** Whether it takes a character of the path. */
  readonly takes: (character: string) => boolean;
  /** Whether it takes any number of characters, not one. */
  readonly isRepeated: boolean;
  /** How many steps further a match may go on without another character. */
  readonly skips: readonly number[];
}

/**
 * What a pattern means: `?` and `*` are one or any number of characters of a name, `[0-9]` and `[!0-9]` one of
 * some, `**` any characters, and a `**` that is a whole part any number of folders, none among them. Patterns
 * come from strangers too, so that all ways through one are followed at once, which takes as long as its length
 * times that of the path; a regular expression would try one after the other.
 *
 * @returns whether a path, with `/` between its parts, is meant
 */
export function globMatcher(pattern: string): (path: string) => boolean {
  const plain = pattern.replace(/^\.\//, '');
  const steps = stepsOf(plain);
  const start = /^[^*?[]*/.exec(plain)![0];
  return (path) => {
    // Most paths are told by that, and data sets with hundreds of patterns have thousands of files.
    if (!path.startsWith(start)) return false;
    let places = reachable(steps, [0]);
    for (const character of path) {
      const next: number[] = [];
      for (const place of places) {
        const step = steps[place];
        if (step?.takes(character) === true) next.push(step.isRepeated ? place : place + 1);
      }
      if (next.length === 0) return false;
      places = reachable(steps, next);
    }
    return places.at(-1) === steps.length;
  };
}

/** @param places in ascending order, as are those that are returned */
function reachable(steps: readonly Step[], places: readonly number[]): readonly number[] {
  const isReached: true[] = [];
  for (const place of places) isReached[place] = true;
  const all: number[] = [];
  for (let place = places[0]!; place < isReached.length; place++) {
    if (isReached[place] === undefined) continue;
    all.push(place);
    for (const skip of steps[place]?.skips ?? []) isReached[place + skip] = true;
  }
  return all;
}

/** Whole folders, any characters, those of a name, one of them, one of some; anything else is itself. */
const PARTS = /(?<=^|\/)\*\*\/|\*{2,}|\*|\?|\[[!^]?[^/][^\]/]*\]|./gsu;

function stepsOf(pattern: string): readonly Step[] {
  return (pattern.match(PARTS) ?? []).flatMap((part) => {
    if (part === '**/') return [EITHER, { ...ANY, isRepeated: true, skips: [1] }, one('/')];
    if (part.startsWith('**')) return [{ ...ANY, isRepeated: true, skips: [1] }];
    if (part === '*') return [{ ...OF_NAME, isRepeated: true, skips: [1] }];
    if (part === '?') return [OF_NAME];
    return [part.length > 1 && part.startsWith('[') ? oneOf(part) : one(part)];
  });
}

const ANY: Step = { takes: () => true, isRepeated: false, skips: [] };
const OF_NAME: Step = { ...ANY, takes: (character) => character !== '/' };
/** Goes into the two steps that follow, or past them. */
const EITHER: Step = { ...ANY, takes: () => false, skips: [1, 3] };

function one(wanted: string): Step {
  return { ...ANY, takes: (character) => character === wanted };
}

function oneOf(brackets: string): Step {
  const [, not, inside] = /^\[([!^]?)(.*)\]$/su.exec(brackets)!;
  const ranges = inside!.match(/.-.|./gsu)!.map((range) => [...range]);
  const isInside = (character: string): boolean =>
    ranges.some(([first, , last = first]) => character >= first! && character <= last!);
  return {
    ...ANY,
    takes: (character) => character !== '/' && isInside(character) === (not === ''),
  };
}
