import type { WriteStream } from 'node:tty';
import type { ReportTarget } from './train-report.ts';

/** Standard output or error as the target of a report; a terminal's width is asked each time. */
export function streamTarget(stream: WriteStream): ReportTarget {
  return {
    write: (text) => void stream.write(text),
    get columns() {
      return stream.isTTY ? stream.columns : undefined;
    },
    now: () => performance.now() / 1000,
  };
}
