import { messageOf } from '../../engine/errors.ts';
import type { BenchProgress } from './bench-progress.ts';
import type { BenchGroup, BenchRow } from './bench-row.ts';
import type { RunMeasurement } from './measure-run.ts';
import { type Measured, runMeasurement } from './measuring-process.ts';
import { nodeProgram, type PreparedRow, type PrepareOptions, prepareRow } from './prepare-row.ts';
import { type ResultLine, rowResult } from './row-result.ts';
import type { SgemmMeasurement } from './sgemm.ts';

/** What groups are run with. */
export interface RunGroupOptions extends PrepareOptions {
  /** Kills what is being measured. */
  readonly signal: AbortSignal;
  readonly progress: Pick<BenchProgress, 'preparing' | 'next'>;
}

/** Processes that a group starts. */
export function processesOf({ rows, samples }: BenchGroup): number {
  return 1 + rows.length * samples + new Set(rows.map(roundingOf).filter(Boolean)).size;
}

/** What PEFT rounds to in a row; undefined where that is nothing. */
function roundingOf(row: BenchRow): string | undefined {
  if (row.kind !== 'peft' || row.peft.precision === 'float32') return undefined;
  return row.peft.precision;
}

/**
 * Measures the rows of a group. Samples take turns (A B A B), each in a fresh process, so that a
 * machine that becomes slower or faster does so for all. The peak of `sgemm` is measured first, when
 * nothing else runs.
 *
 * @returns one line for the peak, and one for each row in their order
 */
export async function runGroup(group: BenchGroup, options: RunGroupOptions): Promise<ResultLine[]> {
  const { signal, progress, programs } = options;
  const failures = new Map<BenchRow, unknown>();
  const prepared: PreparedRow[] = [];
  for (const row of group.rows) {
    progress.preparing(row.name);
    await failingAlone(row, failures, signal, async () => {
      prepared.push(await prepareRow(row, options));
    });
  }
  progress.next(`${group.name}: peak of sgemm`);
  const sgemm = nodeProgram(programs, 'measure-sgemm');
  const { result: peak } = await runMeasurement<SgemmMeasurement>(sgemm, signal);
  const measured = new Map<BenchRow, Measured<RunMeasurement>[]>();
  for (let sample = 0; sample < group.samples; sample++) {
    for (const { row, program } of prepared) {
      progress.next(`${row.name}, sample ${sample + 1} of ${group.samples}`);
      await failingAlone(row, failures, signal, async () => {
        const result = await runMeasurement<RunMeasurement>(program(sample), signal);
        measured.set(row, [...(measured.get(row) ?? []), result]);
      });
    }
  }
  const errors = new Map<string | undefined, number>();
  for (const { row, gradients } of prepared) {
    const rounding = roundingOf(row);
    if (rounding === undefined || errors.has(rounding)) continue;
    progress.next(`${group.name}: gradients of PEFT in ${rounding}`);
    await failingAlone(row, failures, signal, async () => {
      errors.set(rounding, (await runMeasurement<number>(gradients!, signal)).result);
    });
  }
  const results = group.rows.map((row): ResultLine => {
    const { name, label } = row;
    const facts = prepared.find((each) => each.row === row)?.facts;
    const samples = measured.get(row);
    return facts === undefined || samples === undefined || failures.has(row)
      ? { name, group: group.name, label, error: messageOf(failures.get(row)) }
      : {
          ...rowResult(row, group.name, facts, samples, peak.flops),
          gradient_error: errors.get(roundingOf(row)) ?? null,
        };
  });
  return [{ name: 'sgemm', group: group.name, gflops: peak.flops / 1e9 }, ...results];
}

/** Does something for a row that has not failed before; where it fails, the others go on. */
async function failingAlone(
  row: BenchRow,
  failures: Map<BenchRow, unknown>,
  signal: AbortSignal,
  action: () => Promise<void>,
): Promise<void> {
  signal.throwIfAborted();
  if (failures.has(row)) return;
  try {
    await action();
  } catch (error) {
    signal.throwIfAborted();
    failures.set(row, error);
  }
}
