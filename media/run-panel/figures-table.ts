import { METRICS } from '../../extension/runs/history-rows.ts';
import type { RunPanelTexts } from '../../extension/runs/run-panel-texts.ts';
import { latest, nearest } from '../charts/nearest.ts';
import type { RunHistory } from '../charts/run-history.ts';
import { element } from '../webview/element.ts';
import { formatCount, formatMetric } from '../webview/numbers.ts';

/** Rows of the table; as many as one reads. */
const ROWS = 20;

/** The curves in numbers, for those who cannot see them or want to copy them. */
export function figuresTable(texts: RunPanelTexts, history: RunHistory): HTMLElement {
  const last = history.lastStep;
  const steps = Array.from({ length: ROWS }, (_, index) => (last * (index + 1)) / ROWS);
  const { x } = history.points('loss');
  const reported = new Set(steps.map((step) => nearest({ x, y: x }, step)?.x));
  reported.delete(undefined);
  return element('table', {}, [
    element('caption', { text: texts.figuresCaption }),
    element('thead', {}, [
      element('tr', {}, [
        element('th', { class: 'number', text: texts.step, attributes: { scope: 'col' } }),
        ...METRICS.map((metric) =>
          element('th', { class: 'number', text: texts[metric], attributes: { scope: 'col' } }),
        ),
      ]),
    ]),
    element(
      'tbody',
      {},
      [...reported].map((step) =>
        element('tr', {}, [
          element('th', {
            class: 'number',
            text: formatCount(step!),
            attributes: { scope: 'row' },
          }),
          ...METRICS.map((metric) => {
            const point = latest(history.points(metric), step!);
            const text = point === undefined ? '–' : formatMetric(metric)(point.y);
            return element('td', { class: 'number', text });
          }),
        ]),
      ),
    ),
  ]);
}
