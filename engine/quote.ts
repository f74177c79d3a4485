/** What a quoted value may take of a sentence, in characters. */
const QUOTE_LIMIT = 100;

/** A value of a file as it may stand in a sentence: JSON, cut where it is long. */
export function quote(value: unknown, most = QUOTE_LIMIT): string {
  // Of a long text only the start is worth the work of writing it down.
  const shown = typeof value === 'string' ? value.slice(0, most + 1) : value;
  const json = JSON.stringify(shown) ?? 'nothing';
  return json.length <= most ? json : `${json.slice(0, most - 3)}...`;
}

/** What somebody else says, as it may stand in a sentence: on one line, as it was said, cut where it is long. */
export function spoken(words: string, most: number): string {
  return `“${shortened(words.slice(0, 2 * most).replaceAll(/\s+/g, ' '), most)}”`;
}

/**
 * A text of at most so many UTF-16 units: of a longer one the start and the end, since sentences
 * end with the way out. No character is cut in two.
 */
export function shortened(text: string, most: number): string {
  if (text.length <= most) return text;
  const tail = Math.floor((most - GAP.length) / 4);
  const head = most - GAP.length - tail;
  return (
    text.slice(0, head).replace(HALF_AT_END, '') +
    GAP +
    text.slice(-tail).replace(HALF_AT_START, '')
  );
}

const GAP = ' … ';
/** The first half of a surrogate pair, without its second. */
const HALF_AT_END = /[\uD800-\uDBFF]$/;
const HALF_AT_START = /^[\uDC00-\uDFFF]/;
