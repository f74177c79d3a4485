import type { ResolvedConfig } from '../config/schema.ts';
import { type EpochPlan, type MicroBatch, planEpoch, type RowLayout } from '../data/epoch-plan.ts';
import type { ExampleStream } from '../data/streaming/example-stream.ts';
import type { TokenizedExample } from '../data/tokenized-example.ts';
import type { TrainingShape } from '../step/training-graph.ts';
import { paddingMultiple } from './padding-multiple.ts';
import type { PaddingReport } from './plan-reports.ts';
import type { RunData } from './run-data.ts';
import { droppedWarnings } from './split-report.ts';

/** Examples that are in memory together, and the steps that they are learned in. */
export interface PlannedWindow {
  readonly examples: readonly TokenizedExample[];
  /** Optimizer steps, each of one or several batches. */
  readonly steps: EpochPlan['steps'];
  /** Sentences about rows of it that cannot be used. */
  readonly warnings: readonly string[];
}

/** How long a run is, and what each of its epochs does. */
export interface RunPlan {
  /** Where data are streamed: inferred from the first window. */
  readonly stepsPerEpoch: number;
  /** Optimizer steps of the whole run. */
  readonly maxSteps: number;
  readonly warmupSteps: number;
  /** No batch needs more memory; it is the first of the run, but where data are streamed. */
  readonly largestShape: TrainingShape;
  /** The other shapes that batches of the first epoch have, the largest first; where data are streamed, of its first window. */
  readonly otherShapes: readonly TrainingShape[];
  /** Lengths that the batches have. */
  readonly lengths: number;
  readonly padding: PaddingReport;
  /** Windows of an epoch: 1 where all examples are in memory. */
  readonly windows: number;
  /**
   * A window of an epoch, both counted from 0; a function of the seed and of the two alone.
   *
   * @throws LorafaError as `ExampleStream.window`
   */
  window(epoch: number, window: number): Promise<PlannedWindow>;
}

/** Plans a run over its examples, of which there is at least one. */
export function planRun(
  { data, training }: ResolvedConfig,
  { train, stream }: Pick<RunData, 'train'> & Partial<Pick<RunData, 'stream'>>,
): RunPlan {
  const plan = (
    examples: readonly TokenizedExample[],
    { packing = data.packing, epoch = 0, window = 0 },
  ): EpochPlan =>
    planEpoch(
      examples.map(({ inputIds }) => inputIds.length),
      {
        batchSize: training.per_device_train_batch_size,
        gradientAccumulationSteps: training.gradient_accumulation_steps,
        groupByLength: data.group_by_length,
        padToMultipleOf: paddingMultiple(data),
        maxLength: data.max_length,
        packing,
        seed: training.seed,
        epoch,
        window,
      },
    );
  const [unpacked, packed] = [plan(train, { packing: false }), plan(train, { packing: true })];
  const first = data.packing ? packed : unpacked;
  const stepsPerEpoch =
    stream === undefined ? first.steps.length : streamedSteps(stream, first.rows, training);
  const batches = first.steps.flat();
  const maxSteps = runLength(training, stepsPerEpoch);
  const warmupSteps =
    training.warmup_steps > 0 ? training.warmup_steps : Math.ceil(training.warmup_ratio * maxSteps);
  return {
    stepsPerEpoch,
    maxSteps,
    warmupSteps,
    padding: { packing: data.packing, unpacked: layoutOf(unpacked), packed: layoutOf(packed) },
    largestShape: largestShape(batches, stream === undefined ? 0 : data.max_length),
    otherShapes: shapesOf(batches).slice(1),
    lengths: new Set(batches.map((batch) => batch.sequenceLength)).size,
    windows: stream?.windows ?? 1,
    window: async (epoch, window) => {
      if (stream === undefined || (epoch === 0 && window === 0)) {
        return { examples: train, steps: plan(train, { epoch }).steps, warnings: [] };
      }
      const sets = await stream.window(epoch, window);
      const examples = sets.flatMap((set) => set.examples);
      const warnings = sets.flatMap(({ report }) => droppedWarnings(report));
      return { examples, steps: plan(examples, { epoch, window }).steps, warnings };
    },
  };
}

/** Optimizer steps of an epoch whose windows are all like the first, which makes so many rows of batches. */
function streamedSteps(
  stream: ExampleStream,
  rows: number,
  training: ResolvedConfig['training'],
): number {
  const share = rows / stream.rowsOf(0);
  const steps = (window: number): number =>
    countStepsPerEpoch(Math.max(1, Math.round(share * stream.rowsOf(window))), training);
  return steps(0) * (stream.windows - 1) + steps(stream.windows - 1);
}

/** Optimizer steps of one epoch over so many rows of batches, as {@link planRun} plans them. */
export function countStepsPerEpoch(rows: number, training: ResolvedConfig['training']): number {
  const batches = Math.ceil(rows / training.per_device_train_batch_size);
  return Math.ceil(batches / training.gradient_accumulation_steps);
}

/** Optimizer steps of a whole run. */
export function runLength(training: ResolvedConfig['training'], stepsPerEpoch: number): number {
  return training.max_steps ?? Math.ceil(training.num_train_epochs * stepsPerEpoch);
}

function layoutOf({ rows, paddingWaste }: EpochPlan): RowLayout {
  return { rows, paddingWaste };
}

/** The shapes that batches have, the largest first, as if all of their tokens were learned. */
function shapesOf(batches: readonly MicroBatch[]): readonly TrainingShape[] {
  const shapes = new Map(
    batches.map(({ rows: { length: rows }, sequenceLength: length }) => [
      `${rows}x${length}`,
      { rows, length, lossTokens: rows * length },
    ]),
  );
  return [...shapes.values()].toSorted((a, b) => b.lossTokens - a.lossTokens);
}

/** @param length tokens that a row may have although none of these has so many */
function largestShape(batches: readonly MicroBatch[], length: number): TrainingShape {
  const { rows, sequenceLength } = batches[0]!;
  const longest = Math.max(sequenceLength, length);
  return { rows: rows.length, length: longest, lossTokens: rows.length * longest };
}
