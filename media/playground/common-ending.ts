/** Characters that an ending has at least: question marks and full stops are no sign of a format. */
const LEAST = 3;

/**
 * What all prompts end in, from the first whole word on: `JSON: `. Undefined where they end in nothing in common, or
 * are all the same.
 */
export function commonEnding(prompts: readonly string[]): string | undefined {
  const [first, ...others] = new Set(prompts);
  if (first === undefined || others.length === 0) return undefined;
  const shared = others.reduce(sharedEnding, first);
  // What stands before the first space may be a part of a word, or end a sentence that is each prompt's own.
  const ending = /\s+(.*)$/s.exec(shared)?.[1] ?? '';
  return ending.length < LEAST ? undefined : ending;
}

function sharedEnding(one: string, other: string): string {
  let length = 0;
  while (length < one.length && one.at(-1 - length) === other.at(-1 - length)) length += 1;
  return one.slice(one.length - length);
}
