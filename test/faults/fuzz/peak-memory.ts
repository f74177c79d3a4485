import { readFileSync, writeFileSync } from 'node:fs';

/** Linux: the largest part of this process that was in memory, from one look to the next. */
export class PeakMemory {
  #before = 0;

  /** Begins to watch. */
  start(): void {
    if (process.platform !== 'linux') return;
    writeFileSync('/proc/self/clear_refs', '5');
    this.#before = field('VmRSS');
  }

  /** Bytes by which memory has grown at most since {@link start}; 0 where that cannot be known. */
  growth(): number {
    return process.platform === 'linux' ? Math.max(0, field('VmHWM') - this.#before) : 0;
  }
}

function field(name: 'VmRSS' | 'VmHWM'): number {
  const [, kibibytes] = new RegExp(`${name}:\\s+(\\d+)`).exec(
    readFileSync('/proc/self/status', 'latin1'),
  )!;
  return Number(kibibytes) * 2 ** 10;
}
