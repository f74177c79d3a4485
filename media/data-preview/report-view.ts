import type { RowLayout } from '../../engine/data/epoch-plan.ts';
import type { DatasetReport, IssueList } from '../../engine/data/report.ts';
import type { PaddingReport } from '../../engine/train/events.ts';
import type { DataPreviewTexts } from '../../extension/data-preview/data-preview-texts.ts';
import { element } from '../webview/element.ts';
import { formatCount } from '../webview/numbers.ts';
import { fill } from '../webview/texts.ts';
import { type OpenRow, rowLink } from './row-view.ts';

/** What became of all rows, in numbers; what is worth a look unfolds. */
export function reportView(
  texts: DataPreviewTexts,
  report: DatasetReport,
  { packing, unpacked, packed }: PaddingReport,
  onOpen: OpenRow,
): readonly HTMLElement[] {
  const { rows, used, tokens, supervisedTokens, longest, shapes } = report;
  const share = tokens === 0 ? '0' : ((100 * supervisedTokens) / tokens).toFixed(1);
  const figures: readonly (readonly [string, string])[] = [
    [texts.rows, fill(texts.of, formatCount(used), formatCount(rows))],
    [texts.tokens, formatCount(tokens)],
    [texts.supervised, fill(texts.share, formatCount(supervisedTokens), share)],
    [texts.longest, formatCount(longest)],
    [texts.truncatedRows, formatCount(report.truncated.count)],
    [texts.droppedRows, formatCount(report.dropped.count + report.neverSupervised.count)],
    [texts.padding, percent(packing ? packed : unpacked)],
    packing ? [texts.paddingUnpacked, percent(unpacked)] : [texts.paddingPacked, percent(packed)],
    [texts.shape, shapes.join(', ')],
  ];
  const issues: readonly (readonly [string, IssueList])[] = [
    [texts.droppedIssues, report.dropped],
    [texts.neverSupervisedIssues, report.neverSupervised],
    [texts.truncatedIssues, report.truncated],
    [texts.lastTurnOnlyIssues, report.lastTurnOnly],
  ];
  return [
    element(
      'dl',
      {},
      figures.map(([name, value]) =>
        element('div', {}, [element('dt', { text: name }), element('dd', { text: value })]),
      ),
    ),
    ...issues
      .filter(([, { count }]) => count > 0)
      .map(([text, list]) => issuesView(texts, fill(text, formatCount(list.count)), list, onOpen)),
  ];
}

function percent({ paddingWaste }: RowLayout): string {
  return `${(100 * paddingWaste).toFixed(1)}%`;
}

function issuesView(
  texts: DataPreviewTexts,
  title: string,
  { count, first }: IssueList,
  onOpen: OpenRow,
): HTMLElement {
  const more = count - first.length;
  return element('details', {}, [
    element('summary', { text: title }),
    element('ul', {}, [
      ...first.map(({ reason, ...place }) =>
        element('li', {}, [rowLink(texts, place, onOpen), ` ${reason}`]),
      ),
      ...(more > 0
        ? [element('li', { class: 'quiet', text: fill(texts.moreIssues, formatCount(more)) })]
        : []),
    ]),
  ]);
}
