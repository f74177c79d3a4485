import type { DataPreviewTexts } from '../../extension/data-preview/data-preview-texts.ts';
import type { PreviewState } from '../../server/protocol/data.ts';
import { element, showText } from '../webview/element.ts';
import { formatCount } from '../webview/numbers.ts';
import { fill } from '../webview/texts.ts';

/** What there is to be said of a reading. */
export interface ReadingProgress {
  /** Undefined before the first row. */
  readonly state: Pick<PreviewState, 'share' | 'isReading' | 'report'> | undefined;
  readonly isCancelled: boolean;
}

/** A bar with a button, while data are read; a sentence where they were not read to the end. */
export interface ProgressView {
  readonly element: HTMLElement;
  /** Undefined hides it. */
  show(progress: ReadingProgress | undefined): void;
}

/** Makes the view. */
export function progressView(texts: DataPreviewTexts, onCancel: () => void): ProgressView {
  const bar = element('progress', { attributes: { max: 1, 'aria-label': texts.progress } });
  const words = element('span', { class: 'quiet' });
  const cancel = element('button', {
    text: texts.cancel,
    attributes: { type: 'button' },
    on: { click: onCancel },
  });
  const root = element('div', { class: 'progress' }, [bar, words, cancel]);
  root.hidden = true;
  return {
    element: root,
    show: (progress) => {
      const { state, isCancelled = false } = progress ?? {};
      const isReading = progress !== undefined && (state?.isReading ?? !isCancelled);
      const isHalf = isCancelled && (state?.share ?? 0) < 1;
      root.hidden = !isReading && !isHalf;
      bar.hidden = !isReading;
      cancel.hidden = !isReading;
      cancel.disabled = isCancelled;
      if (state === undefined) {
        // Without a value it moves: nobody knows yet how long it takes.
        bar.removeAttribute('value');
        showText(words, isCancelled ? texts.cancelledEmpty : texts.opening);
        return;
      }
      const { share, report } = state;
      bar.value = share;
      const text = isReading ? texts.reading : texts.cancelled;
      showText(words, fill(text, formatCount(report.rows), Math.floor(100 * share)));
    },
  };
}
