/** A part of a token's text: as it is, or a sign that stands for what has no shape of its own. */
export interface TextPart {
  readonly text: string;
  /** Whether `text` is a sign for white space or a control character. */
  readonly isSign: boolean;
  /** A line ends behind the sign. */
  readonly breaks: boolean;
}

/** White space except line breaks, line breaks, controls, what has no width or turns the direction. */
const INVISIBLE = /(\r\n|\n|\r| +|\t|[\p{Cc}\p{Cf}\p{Zs}\p{Zl}\p{Zp}])/u;

/** First code point of the Unicode block "Control Pictures". */
const CONTROL_PICTURES = 0x24_00;

/** The text of a token with everything that one would not see made visible. */
export function visibleParts(text: string): readonly TextPart[] {
  return text
    .split(INVISIBLE)
    .map((part, index) =>
      index % 2 === 0 ? { text: part, isSign: false, breaks: false } : sign(part),
    )
    .filter((part) => part.text !== '');
}

function sign(invisible: string): TextPart {
  if (/[\r\n]/.test(invisible)) {
    const text = invisible === '\r\n' ? '␍↵' : invisible === '\r' ? '␍' : '↵';
    return { text, isSign: true, breaks: invisible.endsWith('\n') };
  }
  return { text: shape(invisible), isSign: true, breaks: false };
}

function shape(invisible: string): string {
  if (invisible.startsWith(' ')) return '·'.repeat(invisible.length);
  if (invisible === '\t') return '→';
  const code = invisible.codePointAt(0)!;
  if (code < 0x20) return String.fromCodePoint(CONTROL_PICTURES + code);
  return `⟨U+${code.toString(16).toUpperCase().padStart(4, '0')}⟩`;
}
