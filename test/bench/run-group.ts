import { messageOf } from '../../engine/errors.ts';
import type { BenchProgress } from './bench-progress.ts';
import type { BenchGroup } from './bench-row.ts';
import type { RunMeasurement } from './measure-run.ts';
import { type Measured, runMeasurement } from './measuring-process.ts';
import { nodeProgram, type PreparedRow, type PrepareOptions, prepareRow } from './prepare-row.ts';
import { type ResultLine, type RowFailure, rowResult } from './row-result.ts';
import type { SgemmMeasurement } from './sgemm.ts';

/** What groups are run with. */
export interface RunGroupOptions extends PrepareOptions {
  /** Kills what is being measured. */
  readonly signal: AbortSignal;
  readonly progress: Pick<BenchProgress, 'preparing' | 'next'>;
}

/** Processes that a group starts. */
export function processesOf({ rows, samples }: BenchGroup): number {
  return 1 + rows.length * samples;
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
  const prepared: PreparedRow[] = [];
  const failures = new Map<string, RowFailure>();
  const fail = ({ name, label }: Pick<RowFailure, 'name' | 'label'>, error: unknown): void => {
    signal.throwIfAborted();
    failures.set(name, { name, group: group.name, label, error: messageOf(error) });
  };
  for (const row of group.rows) {
    signal.throwIfAborted();
    progress.preparing(row.name);
    try {
      prepared.push(await prepareRow(row, options));
    } catch (error) {
      fail(row, error);
    }
  }
  progress.next(`${group.name}: peak of sgemm`);
  const sgemm = nodeProgram(programs, 'measure-sgemm');
  const { result: peak } = await runMeasurement<SgemmMeasurement>(sgemm, signal);
  const measured = new Map<string, Measured<RunMeasurement>[]>();
  for (let sample = 0; sample < group.samples; sample++) {
    for (const { row, program } of prepared) {
      progress.next(`${row.name}, sample ${sample + 1} of ${group.samples}`);
      if (failures.has(row.name)) continue;
      try {
        const result = await runMeasurement<RunMeasurement>(program(sample), signal);
        measured.set(row.name, [...(measured.get(row.name) ?? []), result]);
      } catch (error) {
        fail(row, error);
      }
    }
  }
  const results = group.rows.map((row): ResultLine => {
    const failure = failures.get(row.name);
    if (failure !== undefined) return failure;
    const { facts } = prepared.find((each) => each.row === row)!;
    return rowResult(row, group.name, facts, measured.get(row.name)!, peak.flops);
  });
  return [{ name: 'sgemm', group: group.name, gflops: peak.flops / 1e9 }, ...results];
}
