import type { RunEstimate } from '../../engine/plan/estimate-run.ts';
import type { SplitReport } from '../../engine/train/events.ts';
import { formatBytes, formatCount } from './format.ts';
import { describePadding } from './padding-report.ts';

/** The estimate of a run as a table for people. */
export function renderEstimate(estimate: RunEstimate): string {
  const { parameters, train, evaluation, memory, memoryLimit, largestBatch } = estimate;
  const share = ((100 * parameters.trainable) / parameters.total).toPrecision(2);
  const rows: readonly (readonly [string, string])[] = [
    ['Model', estimate.model],
    [
      'Parameters',
      `${formatCount(parameters.trainable)} trainable of ${formatCount(parameters.total)} (${share} %)`,
    ],
    ['Training data', describeSplit(train)],
    ...(evaluation === undefined ? [] : [['Held-out data', describeSplit(evaluation)] as const]),
    ['Padding', describePadding(estimate.padding)],
    [
      'Steps',
      `${formatCount(estimate.steps)}, of which ${formatCount(estimate.stepsPerEpoch)} make an epoch`,
    ],
    [
      'Largest batch',
      `${formatCount(largestBatch.rows)} × ${formatCount(largestBatch.length)} tokens`,
    ],
    ['Recomputed', estimate.gradientCheckpointing],
    ...describeCompute(estimate),
    ['Memory at peak', `${formatBytes(memory.total)} of ${formatBytes(memoryLimit)}`],
    ['  base weights', `${formatBytes(memory.weights)} (mapped from disk)`],
    ['  adapter, Adam', formatBytes(memory.optimizer)],
    ['  activations', formatBytes(memory.activations)],
    ['  runtime', formatBytes(memory.runtime)],
  ];
  const width = Math.max(...rows.map(([name]) => name.length)) + 2;
  const fit =
    memory.total > memoryLimit
      ? [
          '',
          'The run would not fit into memory: lower training.per_device_train_batch_size or data.max_length, or set training.gradient_checkpointing to "layer".',
        ]
      : [];
  return [
    ...rows.map(([name, value]) => name.padEnd(width) + value),
    ...fit,
    ...(estimate.warnings.length > 0 ? ['', ...estimate.warnings] : []),
  ].join('\n');
}

function describeCompute({ compute }: RunEstimate): readonly (readonly [string, string])[] {
  if (compute === 'float32') return [];
  return [['Products', compute === 'auto' ? 'auto, which tries all modes first' : compute]];
}

function describeSplit({ rows, tokens, supervisedTokens }: SplitReport): string {
  return `${formatCount(rows)} rows, ${formatCount(tokens)} tokens, ${formatCount(supervisedTokens)} supervised`;
}
