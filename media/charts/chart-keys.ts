import type { ChartGroup } from './chart-group.ts';

/** Key presses from one edge of a chart to the other; with Shift a tenth of it. */
const STRIDES = 100;

/** Lets the keyboard do in a chart what the mouse does: look at values, zoom and reset. */
export function bindChartKeys(target: HTMLElement, group: ChartGroup): void {
  target.addEventListener('blur', () => group.point(undefined));
  target.addEventListener('keydown', (event) => {
    const { from, to } = group.range;
    const stride = Math.max(1, (to - from) / STRIDES) * (event.shiftKey ? 10 : 1);
    const at = group.cursor ?? to;
    switch (event.key) {
      case 'ArrowLeft':
        group.point(Math.max(from, at - stride));
        break;
      case 'ArrowRight':
        group.point(Math.min(to, at + stride));
        break;
      case 'Home':
        group.point(from);
        break;
      case 'End':
        group.point(to);
        break;
      case '+':
      case '=':
        zoom(0.5, at);
        break;
      case '-':
        zoom(2, at);
        break;
      case '0':
      case 'Escape':
        group.zoom(undefined);
        break;
      default:
        return;
    }
    event.preventDefault();
  });

  /** Scales what is visible; the step under the cursor stays where it is. */
  function zoom(factor: number, at: number): void {
    const { from, to } = group.range;
    group.zoom({ from: at - (at - from) * factor, to: at + (to - at) * factor });
  }
}
