import { type BenchRow, isUniform } from './bench-row.ts';
import type { RunMeasurement } from './measure-run.ts';
import type { Measured } from './measuring-process.ts';
import type { RowFacts } from './prepare-row.ts';
import { spread } from './statistics.ts';

/** What was measured of a row: a line of `--json`. Null stands for what does not apply. */
export interface RowResult {
  readonly name: string;
  readonly group: string;
  readonly label: string;
  /** Milliseconds of a step, optimizer included: median, least and most of all measured steps. */
  readonly step_ms: number;
  readonly step_ms_min: number;
  readonly step_ms_max: number;
  /** Padding excluded; at the median step where all steps are of one size. */
  readonly tokens_per_second: number;
  /** The most bytes resident in the whole process: median, least and most of its samples. */
  readonly peak_rss_bytes: number;
  readonly peak_rss_bytes_min: number;
  readonly peak_rss_bytes_max: number;
  /** The same without mapped files, as seen every tenth of a second: median of the samples. */
  readonly peak_anonymous_bytes: number | null;
  /** Proportional set size after the last step, which counts every page once: median. */
  readonly pss_bytes: number | null;
  /** What the step needs to compute, by the time it took, as a share of the peak of `sgemm`. */
  readonly sgemm_fraction: number | null;
  /** Mean loss per token of the first step, and of the last. */
  readonly first_loss: number;
  readonly last_loss: number;
  /** Values alive at one time in the step's graph, exact. */
  readonly activation_bytes: number | null;
  /** Inputs of adapted layers, which LoRA keeps and LoRA-FA does not, by theory. */
  readonly lora_input_bytes: number | null;
  /** The peak that `lorafa plan` predicts. */
  readonly predicted_bytes: number | null;
  /**
   * By how much the proportional set size at the ends of steps grew while steps were measured, as a
   * share: the median of the last fifth against that of the first. The most of the samples.
   */
  readonly pss_growth: number | null;
  /** By how much its largest value exceeds the largest of the warm-up, as a share. */
  readonly pss_excess: number | null;
  /** In what the products with frozen weights were computed; null for PEFT. */
  readonly compute: string | null;
  /**
   * By mode that `engine.compute: "auto"` tried in its first sample: the largest distance of a
   * gradient from that in float32, relative to its norm. Null where the mode was given.
   */
  readonly gradient_errors: Readonly<Record<string, number>> | null;
  /** The same of PEFT in less than float32. */
  readonly gradient_error: number | null;
  readonly samples: number;
  /** Measured steps of all samples. */
  readonly steps: number;
}

/** A row that could not be measured. */
export interface RowFailure {
  readonly name: string;
  readonly group: string;
  readonly label: string;
  readonly error: string;
}

/** How fast the machine multiplies matrices, measured before a group. */
export interface SgemmResult {
  readonly name: 'sgemm';
  readonly group: string;
  readonly gflops: number;
}

/** A line of `--json`. */
export type ResultLine = RowResult | RowFailure | SgemmResult;

export function isRowResult(line: ResultLine): line is RowResult {
  return 'step_ms' in line;
}

/**
 * Sums up the samples of a row.
 *
 * @param samples at least one
 * @param sgemmFlops the peak, in floating-point operations per second
 */
export function rowResult(
  row: BenchRow,
  group: string,
  facts: RowFacts,
  samples: readonly Measured<RunMeasurement>[],
  sgemmFlops: number,
): Omit<RowResult, 'gradient_error'> {
  const ofSteps = (key: 'stepMs' | 'tokens'): readonly number[] =>
    samples.flatMap(({ result }) => result[key].slice(row.warmupSteps));
  const steps = ofSteps('stepMs');
  const time = spread(steps);
  const peak = spread(samples.map(({ result }) => result.peakRss.at(-1)!));
  const [{ result: first }] = samples as [Measured<RunMeasurement>];
  // Steps of different sizes have no typical one: all tokens count against all time.
  const throughput = isUniform(row)
    ? spread(ofSteps('tokens')).median / time.median
    : sum(ofSteps('tokens')) / sum(steps);
  return {
    name: row.name,
    group,
    label: row.label,
    step_ms: time.median,
    step_ms_min: time.min,
    step_ms_max: time.max,
    tokens_per_second: 1000 * throughput,
    peak_rss_bytes: peak.median,
    peak_rss_bytes_min: peak.min,
    peak_rss_bytes_max: peak.max,
    peak_anonymous_bytes: medianOf(samples.map(({ peakAnonymous }) => peakAnonymous ?? null)),
    pss_bytes: medianOf(samples.map(({ result }) => result.pss.at(-1) ?? null)),
    sgemm_fraction:
      facts.stepFlops === null ? null : facts.stepFlops / (time.median / 1000) / sgemmFlops,
    first_loss: first.losses[0]!,
    last_loss: first.losses.at(-1)!,
    activation_bytes: facts.activationBytes,
    lora_input_bytes: facts.loraInputBytes,
    predicted_bytes: facts.predictedBytes,
    pss_growth: mostOf(samples.map(({ result }) => growth(result.pss.slice(row.warmupSteps)))),
    pss_excess: mostOf(samples.map(({ result }) => excess(result.pss, row.warmupSteps))),
    compute: first.compute ?? null,
    gradient_errors:
      first.computeTrials === undefined
        ? null
        : Object.fromEntries(first.computeTrials.map(({ mode, error }) => [mode, error])),
    samples: samples.length,
    steps: steps.length,
  };
}

/** The allocator gives memory back when it likes, so that single steps say little. */
function growth(sizes: readonly number[]): number | null {
  const fifth = Math.floor(sizes.length / 5);
  if (fifth === 0) return null;
  return spread(sizes.slice(-fifth)).median / spread(sizes.slice(0, fifth)).median - 1;
}

function excess(sizes: readonly number[], warmupSteps: number): number | null {
  if (sizes.length <= warmupSteps || warmupSteps === 0) return null;
  return Math.max(...sizes.slice(warmupSteps)) / Math.max(...sizes.slice(0, warmupSteps)) - 1;
}

function mostOf(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : Math.max(...known);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function medianOf(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : spread(known).median;
}
