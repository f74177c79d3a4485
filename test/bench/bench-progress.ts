import { renderTaskBar } from '../../server/cli/progress-bar.ts';
import { formatDuration } from '../../server/format.ts';

/** Shows on stderr what is being measured and how far the whole is. */
export class BenchProgress {
  readonly #total: number;
  readonly #began = performance.now();
  #started = 0;

  /** @param total processes that will be started */
  constructor(total: number) {
    this.#total = total;
  }

  /** Something that takes a while and is no process. */
  preparing(what: string): void {
    this.#show(`preparing ${what}`);
  }

  /** The next process starts. */
  next(what: string): void {
    this.#started++;
    this.#show(what);
  }

  #show(what: string): void {
    const elapsed = formatDuration((performance.now() - this.#began) / 1000);
    const { isTTY, columns } = process.stderr;
    const text = `${elapsed}  ${what}`;
    // The one that has just started is not done.
    const share = Math.max(0, this.#started - 1) / this.#total;
    const line = isTTY
      ? `\r\u001b[K${renderTaskBar(share, text, columns)}`
      : `${this.#started}/${this.#total}  ${text}\n`;
    process.stderr.write(line);
  }

  /** Takes the bar away, so that something else can be printed. */
  clear(): void {
    if (process.stderr.isTTY) process.stderr.write('\r\u001b[K');
  }
}
