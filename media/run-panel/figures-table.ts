import { METRICS } from '../../extension/runs/history-rows.ts';
import type { RunPanelTexts } from '../../extension/runs/run-panel-texts.ts';
import type { RunHistory } from '../charts/run-history.ts';
import { element } from '../webview/element.ts';
import { formatCount, formatMetric } from '../webview/numbers.ts';
import { fill } from '../webview/texts.ts';
import { figuresOf } from './figure-rows.ts';

/** The curves in numbers, for those who cannot see them or want to copy them. */
export function figuresTable(texts: RunPanelTexts, history: RunHistory): HTMLElement {
  const { rows, measured } = figuresOf(history);
  const thinned = fill(texts.figuresThinned, formatCount(rows.length), formatCount(measured));
  return element('table', {}, [
    element('caption', {}, [
      element('div', { text: texts.figuresCaption }),
      ...(rows.length < measured ? [element('div', { text: thinned })] : []),
    ]),
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
      rows.map(({ step, values }) =>
        element('tr', {}, [
          element('th', {
            class: 'number',
            text: formatCount(step),
            attributes: { scope: 'row' },
          }),
          ...METRICS.map((metric, index) => {
            const value = values[index] ?? null;
            const text = value === null ? '–' : formatMetric(metric)(value);
            return element('td', { class: 'number', text });
          }),
        ]),
      ),
    ),
  ]);
}
