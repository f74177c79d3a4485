import { formatCount } from '../webview/numbers.ts';
import { fill } from '../webview/texts.ts';
import { lowestPoint } from './lowest-point.ts';
import type { Points } from './run-history.ts';

/** Sentences for {@link describeCurve}; see `chartTexts`. */
export interface CurveTexts {
  readonly chartSummary: string;
  readonly chartEmpty: string;
}

/** What a curve shows, in a sentence: its latest and its lowest value. */
export function describeCurve(
  texts: CurveTexts,
  label: string,
  { x, y }: Points,
  format: (value: number) => string,
): string {
  const lowest = lowestPoint({ x, y });
  if (lowest === undefined) return fill(texts.chartEmpty, label);
  const last = x.length - 1;
  return fill(
    texts.chartSummary,
    label,
    format(y[last]!),
    formatCount(x[last]!),
    format(lowest.y),
    formatCount(lowest.x),
    formatCount(x.length),
  );
}
