/** `faint`: behind another curve; `dots`: few values, each marked. */
export type CurveKind = 'line' | 'faint' | 'dots';

/**
 * Width of a curve's line in pixels. A theme of high contrast draws no line faintly, so that width alone tells a curve
 * from the one behind it.
 */
export function lineWidth(kind: CurveKind, isHighContrast: boolean): number {
  if (kind === 'faint') return 1;
  return isHighContrast ? 2.5 : 1.75;
}

/** That of its swatch in a legend, in whole pixels, to which CSS rounds borders down. */
export function swatchWidth(kind: CurveKind): number {
  return kind === 'faint' ? 1 : 3;
}
