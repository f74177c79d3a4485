import type { OnDownload } from '../../engine/hub/download-progress.ts';
import { printJson } from './print.ts';

/** Milliseconds between two lines that say how far it is. */
const LINE_MS = 200;

/** Tells how far something is on stdout, as JSON lines, not too many of them. */
export function jsonProgress(): OnDownload {
  let last = 0;
  return (event) => {
    const now = performance.now();
    if (now - last < LINE_MS && event.done < event.total) return;
    last = now;
    printJson(process.stdout, { type: 'progress', ...event });
  };
}
