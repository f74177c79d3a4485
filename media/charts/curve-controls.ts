import { element, showText } from '../webview/element.ts';

/** What people choose for the curves. */
export interface CurveChoices {
  /** Weight of the past in the smoothed loss, 0 to below 1. */
  readonly smoothing: number;
  readonly isLogScale: boolean;
}

/** Words of the controls; see `chartTexts`. */
export interface CurveControlTexts {
  readonly smoothing: string;
  readonly smoothingHint: string;
  readonly logScale: string;
}

/** A slider for the smoothing and a box for the log scale. */
export function curveControls(
  texts: CurveControlTexts,
  choices: CurveChoices,
  onChoice: (choices: CurveChoices) => void,
): HTMLElement {
  const chosen = element('output', { text: choices.smoothing.toFixed(2) });
  const tell = (): void => {
    showText(chosen, slider.valueAsNumber.toFixed(2));
    onChoice({ smoothing: slider.valueAsNumber, isLogScale: box.checked });
  };
  const slider = element('input', {
    attributes: { type: 'range', min: 0, max: 0.99, step: 0.01, value: choices.smoothing },
    on: { input: tell },
  });
  const box = element('input', {
    attributes: { type: 'checkbox', checked: choices.isLogScale },
    on: { change: tell },
  });
  return element('div', { class: 'toolbar' }, [
    element('label', { attributes: { title: texts.smoothingHint } }, [
      texts.smoothing,
      slider,
      chosen,
    ]),
    element('label', {}, [box, texts.logScale]),
  ]);
}
