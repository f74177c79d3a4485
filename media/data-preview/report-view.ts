import type { RowLayout } from '../../engine/data/epoch-plan.ts';
import type { IssueList } from '../../engine/data/report.ts';
import type { PaddingReport } from '../../engine/plan/plan-reports.ts';
import type { DataPreviewTexts } from '../../extension/data-preview/data-preview-texts.ts';
import type { PreviewState } from '../../server/protocol/data.ts';
import { element } from '../webview/element.ts';
import { formatCount } from '../webview/numbers.ts';
import { fill } from '../webview/texts.ts';
import { type OpenRow, rowLink } from './row-view.ts';

/**
 * Shows what became of the rows, in numbers; what is worth a look unfolds, and stays so while more
 * rows come.
 */
export function showReport(
  target: HTMLElement,
  texts: DataPreviewTexts,
  state: Pick<PreviewState, 'report' | 'padding' | 'shared' | 'notes'>,
  onOpen: OpenRow,
): void {
  const open = new Set(
    [...target.querySelectorAll('details')].filter((each) => each.open).map(({ id }) => id),
  );
  target.replaceChildren(
    ...state.notes.map((text) => element('p', { class: 'quiet', text })),
    ...reportView(texts, state, onOpen),
  );
  for (const each of target.querySelectorAll('details')) each.open = open.has(each.id);
}

function reportView(
  texts: DataPreviewTexts,
  { report, padding, shared }: Pick<PreviewState, 'report' | 'padding' | 'shared'>,
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
    ...(padding === null ? [] : paddingFigures(texts, padding)),
    [texts.shape, shapes.join(', ')],
  ];
  const issues: readonly (readonly [string, string, IssueList])[] = [
    ['dropped', texts.droppedIssues, report.dropped],
    ['never-supervised', texts.neverSupervisedIssues, report.neverSupervised],
    ['truncated', texts.truncatedIssues, report.truncated],
    ['last-turn-only', texts.lastTurnOnlyIssues, report.lastTurnOnly],
    ['duplicates', texts.duplicateIssues, report.duplicates],
    ['nearly-empty', texts.nearlyEmptyIssues, report.nearlyEmpty],
    ['unseparated', texts.unseparatedIssues, report.unseparated],
    ...(shared === null ? [] : [['shared', texts.sharedIssues, shared] as const]),
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
      .filter(([, , { count }]) => count > 0)
      .map(([id, text, list]) => {
        const view = issuesView(texts, fill(text, formatCount(list.count)), list, onOpen);
        view.id = id;
        return view;
      }),
  ];
}

/** Known when all rows are. */
function paddingFigures(
  texts: DataPreviewTexts,
  { packing, unpacked, packed }: PaddingReport,
): readonly (readonly [string, string])[] {
  return [
    [texts.padding, percent(packing ? packed : unpacked)],
    packing ? [texts.paddingUnpacked, percent(unpacked)] : [texts.paddingPacked, percent(packed)],
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
