import { element } from '../webview/element.ts';

/** A description, of whose Markdown the inline code is shown as such. */
export function withInlineCode(markdown: string): readonly (Node | string)[] {
  return markdown
    .split(/(`[^`]+`)/)
    .filter((part) => part !== '')
    .map((part) => (/^`.+`$/.test(part) ? element('code', { text: part.slice(1, -1) }) : part));
}
