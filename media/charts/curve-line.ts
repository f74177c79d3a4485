import { element } from '../webview/element.ts';
import { type CurveKind, swatchWidth } from './line-width.ts';
import { cssColor } from './theme.ts';

/** How the line of a curve is drawn, by CSS's names, so that curves differ by more than colour. */
export type CurveLine = 'solid' | 'dashed' | 'dotted';

/** Lengths in pixels of what is drawn and left out. */
export const DASHES: Readonly<Record<CurveLine, readonly number[]>> = {
  solid: [],
  dashed: [6, 3],
  dotted: [2, 3],
};

/** A bit of a curve's line, to stand beside its name. */
export function swatch(color: string, line: CurveLine, kind: CurveKind = 'line'): HTMLElement {
  const mark = element('span', { class: 'chart-swatch', attributes: { 'aria-hidden': 'true' } });
  mark.style.borderTop = `${swatchWidth(kind)}px ${line} ${cssColor(color)}`;
  return mark;
}
