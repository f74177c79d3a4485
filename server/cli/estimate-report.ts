import type { DiskEstimate } from '../../engine/plan/disk-estimate.ts';
import type { BatchSize, RunEstimate } from '../../engine/plan/estimate-run.ts';
import type { SplitReport } from '../../engine/plan/plan-reports.ts';
import { formatBytes, formatCount, formatDuration } from '../format.ts';
import { describePadding } from './padding-report.ts';
import { describeInferred, describeSets, splitCount } from './split-words.ts';

/** The estimate of a run as a table for people. */
export function renderEstimate(estimate: RunEstimate): string {
  const { parameters, train, evaluation, memory, memoryLimit } = estimate;
  const share = ((100 * parameters.trainable) / parameters.total).toPrecision(2);
  const rows: readonly (readonly [string, string])[] = [
    ['Model', estimate.model],
    ...(estimate.device === undefined ? [] : [['Device', estimate.device] as const]),
    [
      'Parameters',
      `${formatCount(parameters.trainable)} trainable of ${formatCount(parameters.total)} (${share} %)`,
    ],
    ['Training data', describeSplit(train)],
    ...(evaluation === undefined ? [] : [['Held-out data', describeSplit(evaluation)] as const]),
    ['Padding', `${describeInferred(train)}${describePadding(estimate.padding)}`],
    [
      'Steps',
      `${formatCount(estimate.steps)}, of which ${splitCount(train)(estimate.stepsPerEpoch)} make an epoch`,
    ],
    ['Largest batch', describeBatch(estimate.largestBatch)],
    ['Recomputed', estimate.gradientCheckpointing],
    ...describeCompute(estimate),
    [
      'Memory at peak',
      `${formatBytes(memory.total)}${memoryLimit === undefined ? ' (how much the device has is not known)' : ` of ${formatBytes(memoryLimit)}`}`,
    ],
    ...describeProcesses(estimate),
    ['  base weights', `${formatBytes(memory.weights)}${describePlace(estimate)}`],
    ...describeOwnWeights(estimate),
    ['  adapter, Adam', formatBytes(memory.optimizer)],
    ['  activations', formatBytes(memory.activations)],
    ...describeBesideSteps(estimate),
    ['  runtime', formatBytes(memory.runtime)],
    ...describeTime(estimate),
    ...describeDisk(estimate),
  ];
  const width = Math.max(...rows.map(([name]) => name.length)) + 2;
  const fit =
    memoryLimit !== undefined && memory.total > memoryLimit ? ['', adviseLess(estimate)] : [];
  const { disk } = estimate;
  const write = disk && disk.needed > disk.room ? ['', adviseDisk(disk)] : [];
  return [
    ...rows.map(([name, value]) => name.padEnd(width) + value),
    ...fit,
    ...write,
    ...(estimate.warnings.length > 0 ? ['', ...estimate.warnings] : []),
  ].join('\n');
}

/** Where weights lie; of another engine's nothing is known. */
function describePlace({ device, processes }: RunEstimate): string {
  if (processes !== undefined) return '';
  return device === 'cpu' ? ' (mapped from disk)' : ' (copied to the device)';
}

/** Whose memory it is, where another engine computes. */
function describeProcesses({ processes }: RunEstimate): readonly (readonly [string, string])[] {
  if (processes === undefined) return [];
  const each = processes === 1 ? 'its process' : `each of ${formatCount(processes)} processes`;
  return [['', `estimated for ${each} on Accelerate, by what PyTorch keeps of a Llama`]];
}

function describeBatch({ rows, length }: BatchSize): string {
  return `${formatCount(rows)} × ${formatCount(length)} tokens`;
}

/** Weights that stay on the disk until the first answer. */
function describeOwnWeights(estimate: RunEstimate): readonly (readonly [string, string])[] {
  const { answerWeights } = estimate.memory;
  if (answerWeights === 0) return [];
  return [['  for answers', `${formatBytes(answerWeights)}${describePlace(estimate)}`]];
}

/** What a run computes between its steps: of that and a step's activations the largest counts. */
function describeBesideSteps({
  memory: { evaluation, answers },
  largestEvaluationBatch,
}: RunEstimate): readonly (readonly [string, string])[] {
  const instead = 'in place of activations';
  return [
    ...(largestEvaluationBatch === undefined
      ? []
      : [
          [
            '  evaluation',
            `${formatBytes(evaluation)} (${describeBatch(largestEvaluationBatch)}, ${instead})`,
          ] as const,
        ]),
    ...(answers === 0 ? [] : [['  answers', `${formatBytes(answers)} (${instead})`] as const]),
  ];
}

/** Only of a device that tells how fast it is. */
function describeTime({
  leastStepSeconds: seconds,
  steps,
}: RunEstimate): readonly (readonly [string, string])[] {
  if (seconds === undefined) return [];
  const [step, run] = [seconds.toPrecision(2), formatDuration(seconds * steps)];
  return [
    ['Time, estimated', `at least ${step} s a step, ${run} in all, at the peak of the device`],
  ];
}

/** What is written once, before the first step. */
function describeDisk({ disk }: RunEstimate): readonly (readonly [string, string])[] {
  if (disk === undefined) return [];
  const { needed, room, folder } = disk;
  return [['Disk', `${formatBytes(needed)} of ${formatBytes(room)} in ${folder}, written once`]];
}

function adviseDisk({ folder }: DiskEstimate): string {
  return `The weights would not fit on the disk of ${folder}: free some space, or set LORAFA_CACHE_DIR to a folder on another disk.`;
}

/** What can be done about a run that does not fit. */
function adviseLess({ memory }: RunEstimate): string {
  const { activations, evaluation } = memory;
  const advice =
    evaluation > activations
      ? 'lower training.per_device_eval_batch_size or data.max_length'
      : 'lower training.per_device_train_batch_size or data.max_length, or set training.gradient_checkpointing to "layer"';
  return `The run would not fit into memory: ${advice}.`;
}

function describeCompute({ compute }: RunEstimate): readonly (readonly [string, string])[] {
  if (compute === 'float32') return [];
  return [['Products', compute === 'auto' ? 'auto, which tries all modes first' : compute]];
}

function describeSplit(split: SplitReport): string {
  const { rows, tokens, supervisedTokens } = split;
  const count = splitCount(split);
  return `${describeInferred(split)}${count(rows)} rows, ${count(tokens)} tokens, ${count(supervisedTokens)} supervised${describeSets(split)}`;
}
