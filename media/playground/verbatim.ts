import { element } from '../webview/element.ts';

/**
 * Shows a text as it is, in a block of its own beyond which no character in it has effect: what a
 * model or a row has is data.
 */
export function showVerbatim(block: HTMLPreElement, text: string): void {
  // What a user has selected in it would be selected no more.
  if (block.textContent !== text) block.textContent = text;
}

/** A block with a text as it is. */
export function verbatim(text: string): HTMLPreElement {
  const block = element('pre');
  showVerbatim(block, text);
  return block;
}
