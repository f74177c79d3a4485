import type { ExamplePreview, PreviewToken } from '../../engine/data/preview.ts';
import { visible } from '../plain-text.ts';

/**
 * An example as text in which every token shows whether it is supervised: with colour by a green
 * ground (two shades in turn, so that tokens stay apart), without colour by ⟦ and ⟧ around it.
 * Control characters are shown as symbols, so that no data can steer the terminal.
 */
export function renderTokens({ tokens, truncated }: ExamplePreview, color: boolean): string {
  const text = tokens.map((token, index) => (color ? paint(token, index) : mark(token))).join('');
  return truncated ? `${text} … (cut at data.max_length)` : text;
}

/** SGR codes of ECMA-48. */
const SUPERVISED = ['\u001B[30;42m', '\u001B[30;102m'] as const;
const READ_ONLY = ['', '\u001B[2m'] as const;
const RESET = '\u001B[0m';

function paint(token: PreviewToken, index: number): string {
  const style = (token.supervised ? SUPERVISED : READ_ONLY)[index % 2 === 0 ? 0 : 1];
  // A ground that is not ended before a line break runs on to the edge of the terminal.
  return shown(token.text)
    .split('\n')
    .map((line) => (line === '' || style === '' ? line : `${style}${line}${RESET}`))
    .join('\n');
}

function mark(token: PreviewToken): string {
  const text = shown(token.text);
  return token.supervised ? `⟦${text}⟧` : text;
}

/** Line breaks as ↵ and a break, other controls by their Unicode pictures, the rest by escapes. */
function shown(text: string): string {
  const pictured = text.replace(CONTROL, (character) => {
    if (character === '\n') return '↵\n';
    const code = character.charCodeAt(0);
    return code < 0x20 ? String.fromCharCode(CONTROL_PICTURES + code) : '\u2421';
  });
  return visible(pictured);
}

/** C0 controls, DEL and C1 controls. */
const CONTROL = /\p{Cc}/gu;

/** First code point of the Unicode block "Control Pictures". */
const CONTROL_PICTURES = 0x2400;
