import { textTable } from '../bench/text-table.ts';
import type { Placement } from './placement.ts';

/** What a measured step took of its device. */
export interface StepResult extends Placement {
  readonly name: string;
  /** Bytes that one step brings to the device and back; on a real device nobody counts. */
  readonly bytes_up_per_step?: number;
  readonly bytes_down_per_step?: number;
  /** The most memory of the device that was taken. */
  readonly peak_bytes: number;
  /** Kernels that a step launches one by one, and graphs that it replays. */
  readonly launches_per_step?: number;
  readonly graph_launches_per_step?: number;
  /** Of the operations of all products, those that tensor cores do. */
  readonly share_on_tensor_cores?: number;
  /** What `lorafa plan` says that the peak is. */
  readonly planned_bytes: number;
  /** Bytes that the ops of a step read and write, by their graph. */
  readonly traffic_bytes: number;
  /** The following on a real device alone. */
  readonly step_ms?: number;
  readonly tokens_per_second?: number;
  /** Of the fastest matrix product that was measured. */
  readonly share_of_matmul_peak?: number;
}

/** How far steps on the device are from those on the CPU. */
export interface ParityResult {
  readonly name: string;
  readonly steps: number;
  /** The largest distance of a loss, relative to it; absent where there are no values. */
  readonly loss_error?: number;
  /** The same of a first gradient, relative to its norm, of all tensors the worst. */
  readonly gradient_error?: number;
  /** The same of a trained tensor after the last step; absent where there is one step alone. */
  readonly weight_error?: number;
  readonly is_equal?: boolean;
}

/** What the same step took in PEFT. */
export interface PeftResult {
  readonly name: string;
  /** Bytes of the device that were taken; absent on a CPU. */
  readonly peak_bytes?: number;
  readonly step_ms: number;
  readonly tokens_per_second: number;
}

/** What came of the demo, whose prompts the base model completes wrongly. */
export interface DemoCheck {
  readonly name: string;
  readonly seconds: number;
  /** Shares of prompts that are completed right; absent where there are no values. */
  readonly before_accuracy?: number;
  readonly after_accuracy?: number;
  /** Whether it learned as on the CPU. */
  readonly is_learned?: boolean;
}

/** A check that came to no result. */
export interface FailedCheck {
  readonly name: string;
  readonly failure: string;
}

export type CheckResult = StepResult | PeftResult | ParityResult | DemoCheck | FailedCheck;

/** Whether a result is none that a GPU may have. */
export function hasFailed(result: CheckResult): boolean {
  return (
    'failure' in result ||
    ('is_equal' in result && !result.is_equal) ||
    ('is_learned' in result && !result.is_learned)
  );
}

/** The results as a table for people. */
export function resultTable(results: readonly CheckResult[]): string {
  const parities = results.filter((result): result is ParityResult => 'steps' in result);
  const demos = results.filter((result): result is DemoCheck => 'seconds' in result);
  const failures = results.filter((result): result is FailedCheck => 'failure' in result);
  const steps = results.filter(
    (result): result is PeftResult & Partial<StepResult> =>
      !('steps' in result || 'seconds' in result || 'failure' in result),
  );
  return [
    textTable(
      [
        'step',
        'nodes',
        'MB up',
        'MB down',
        'peak GB',
        'planned GB',
        'traffic GB',
        'launches',
        'graphs',
        '% tensor',
        'ms',
        'tokens/s',
        '% of peak',
      ],
      steps.map((step) => [
        step.name,
        step.nodes_total === undefined ? '' : `${step.nodes_on_device}/${step.nodes_total}`,
        number(step.bytes_up_per_step, 1e6, 3),
        number(step.bytes_down_per_step, 1e6, 6),
        number(step.peak_bytes, 1e9, 2),
        number(step.planned_bytes, 1e9, 2),
        number(step.traffic_bytes, 1e9, 2),
        number(step.launches_per_step, 1, 0),
        number(step.graph_launches_per_step, 1, 0),
        number(step.share_on_tensor_cores, 0.01, 1),
        number(step.step_ms, 1, 2),
        number(step.tokens_per_second, 1, 0),
        number(step.share_of_matmul_peak, 0.01, 1),
      ]),
    ),
    textTable(
      ['against the CPU', 'steps', 'loss off by', 'gradient off by', 'B off by', 'equal'],
      parities.map(({ name, steps, loss_error, gradient_error, weight_error, is_equal }) => [
        name,
        String(steps),
        loss_error?.toExponential(1) ?? '',
        gradient_error?.toExponential(1) ?? '',
        weight_error?.toExponential(1) ?? '',
        compared(is_equal),
      ]),
    ),
    textTable(
      ['training', 'seconds', 'right before', 'right after', 'learned'],
      demos.map(({ name, seconds, before_accuracy, after_accuracy, is_learned }) => [
        name,
        seconds.toFixed(1),
        number(before_accuracy, 0.01, 1),
        number(after_accuracy, 0.01, 1),
        compared(is_learned),
      ]),
    ),
    ...(failures.length === 0
      ? []
      : [
          textTable(
            ['failed', 'why'],
            failures.map(({ name, failure }) => [name, failure]),
          ),
        ]),
  ].join('\n');
}

function compared(isRight: boolean | undefined): string {
  return isRight === undefined ? 'not compared' : isRight ? 'yes' : 'NO';
}

function number(value: number | undefined, unit: number, digits: number): string {
  return value === undefined ? '' : (value / unit).toFixed(digits);
}
