import type { ProgressEvent } from '../../engine/train/events.ts';
import { textReport } from './train-report.ts';

/** Shows slow preparations on stderr, so that stdout holds nothing but the result. */
export function stderrProgress(): (event: ProgressEvent) => void {
  const { stderr } = process;
  return textReport({
    write: (text) => void stderr.write(text),
    columns: stderr.isTTY ? stderr.columns : undefined,
    now: () => performance.now() / 1000,
  });
}
