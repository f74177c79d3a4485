import type { ExamplePreview, PreviewToken } from '../../engine/data/preview.ts';
import type { DataPreviewTexts } from '../../extension/data-preview/data-preview-texts.ts';
import { element } from '../webview/element.ts';
import { formatCount } from '../webview/numbers.ts';
import { fill } from '../webview/texts.ts';
import { visibleParts } from './visible-text.ts';

/** Opens a row's file at its line. */
export type OpenRow = (file: string, line: number) => void;

/** A row, token by token. */
export function rowView(
  texts: DataPreviewTexts,
  { file, line, tokens, truncated }: ExamplePreview,
  onOpen: OpenRow,
): HTMLElement {
  const learned = tokens.filter(({ supervised }) => supervised).length;
  const counts = fill(texts.rowCounts, formatCount(tokens.length), formatCount(learned));
  return element('article', {}, [
    element('div', { class: 'row-head' }, [
      element('h2', {}, [rowLink(texts, { file, line }, onOpen)]),
      element('span', { class: 'quiet', text: counts }),
    ]),
    element('div', { class: 'tokens code', attributes: { tabindex: 0, role: 'group' } }, [
      ...segments(tokens).map((segment) => segmentView(texts, segment)),
      ...(truncated ? [element('span', { class: 'cut', text: `✂ ${texts.truncatedMark}` })] : []),
    ]),
  ]);
}

/** A link to the place of a row. */
export function rowLink(
  texts: DataPreviewTexts,
  { file, line }: { readonly file: string; readonly line: number },
  onOpen: OpenRow,
): HTMLElement {
  return element('button', {
    class: 'link',
    text: `${file.split(/[\\/]/).at(-1)}:${line}`,
    attributes: { type: 'button', title: fill(texts.openRow, file, line) },
    on: { click: () => onOpen(file, line) },
  });
}

/** Tokens that follow each other and are all learned, or all only read. */
function segments(tokens: readonly PreviewToken[]): readonly (readonly PreviewToken[])[] {
  const found: PreviewToken[][] = [];
  for (const token of tokens) {
    const last = found.at(-1);
    if (last !== undefined && last[0]!.supervised === token.supervised) last.push(token);
    else found.push([token]);
  }
  return found;
}

function segmentView(texts: DataPreviewTexts, tokens: readonly PreviewToken[]): HTMLElement {
  const { supervised } = tokens[0]!;
  return element('span', { class: supervised ? 'segment supervised' : 'segment' }, [
    // Screen readers hear where learning begins and ends; others see it.
    element('span', { class: 'spoken', text: supervised ? texts.spokenLearned : texts.spokenRead }),
    ...tokens.map((token) => tokenView(texts, token)),
  ]);
}

function tokenView(texts: DataPreviewTexts, { id, text, special }: PreviewToken): HTMLElement {
  const view = element('span', {
    class: special ? 'token special' : 'token',
    attributes: { title: fill(texts.tokenTitle, id) },
  });
  for (const { text: part, isSign, breaks } of visibleParts(text)) {
    view.append(isSign ? element('span', { class: 'sign', text: part }) : part);
    if (breaks) view.append(element('br'));
  }
  return view;
}
