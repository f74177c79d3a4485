import type { DataPreviewTexts } from '../../extension/data-preview/data-preview-texts.ts';
import type { PreviewState } from '../../server/protocol/data.ts';
import { formatCount } from '../webview/numbers.ts';
import { fill } from '../webview/texts.ts';

/**
 * Which rows are shown, of how many.
 *
 * @param start how many come before them
 * @param last the number of the last one, from 1
 */
export function describePosition(
  texts: DataPreviewTexts,
  { isReading, report, search }: Pick<PreviewState, 'isReading' | 'report' | 'search'>,
  start: number,
  last: number,
): string {
  const first = formatCount(Math.min(start + 1, last));
  if (search === null) {
    if (report.used === 0) return isReading ? '' : texts.noRows;
    return fill(texts.position, first, formatCount(last), formatCount(report.used));
  }
  const { text, found, share } = search;
  const isDone = share >= 1 && !isReading;
  const searched = isDone ? '' : ` · ${fill(texts.searching, Math.floor(100 * share))}`;
  if (found === 0) return isDone ? fill(texts.noneFound, text) : searched.slice(3);
  return `${fill(texts.found, first, formatCount(last), formatCount(found), text)}${searched}`;
}
