import type { ResolvedConfig } from '../../engine/config/schema.ts';
import { type Batch, makeBatch } from '../../engine/data/batches.ts';
import type { BaseModel } from '../../engine/models/base-model.ts';
import type { Optimizer } from '../../engine/optim/optimizer.ts';
import { Random } from '../../engine/random.ts';
import type { Device } from '../../engine/runtime/device.ts';
import type { SessionOptions } from '../../engine/runtime/session.ts';
import { BatchRunner } from '../../engine/step/batch-runner.ts';
import { stepSpec } from '../../engine/step/step-spec.ts';
import type { TrainingGraphOptions } from '../../engine/step/training-graph.ts';
import { createOptimizer } from '../../engine/train/create-optimizer.ts';
import { createTrainee, type Trainee } from '../../engine/train/trainee.ts';

/** What steps are made of. */
export interface StepParts {
  readonly config: ResolvedConfig;
  readonly model: BaseModel;
  readonly device: Device;
  /** Whether steps are captured as CUDA graphs. */
  readonly captures: boolean;
  readonly rows: number;
  readonly length: number;
}

/** Examples of a row where rows are packed. */
const PACKED = 4;

/**
 * The steps of a run over one batch, with the parts that a run has: of what a run does, the choice of a device, its
 * data and its folder are left out.
 */
export class TrainingStep {
  readonly graph: TrainingGraphOptions;
  readonly batch: Batch;
  readonly trainee: Trainee;
  readonly optimizer: Optimizer;
  /** What could not be captured, or is not computed on the device. */
  readonly notices: ReadonlySet<string>;
  readonly #config: ResolvedConfig;
  readonly #runner: BatchRunner;

  private constructor(parts: {
    readonly graph: TrainingGraphOptions;
    readonly batch: Batch;
    readonly trainee: Trainee;
    readonly optimizer: Optimizer;
    readonly notices: ReadonlySet<string>;
    readonly config: ResolvedConfig;
    readonly runner: BatchRunner;
  }) {
    ({
      graph: this.graph,
      batch: this.batch,
      trainee: this.trainee,
      optimizer: this.optimizer,
      notices: this.notices,
      config: this.#config,
      runner: this.#runner,
    } = parts);
  }

  static async open(parts: StepParts): Promise<TrainingStep> {
    const { config, model, device, captures, rows, length } = parts;
    const notices = new Set<string>();
    const session: SessionOptions = {
      device,
      captures,
      threads: config.engine.intra_op_num_threads,
      onUncaptured: (why) => void notices.add(`not captured: ${why}`),
      onComputedByCpu: (what) => void notices.add(what),
    };
    const trainee = await createTrainee(config, model, { device });
    const optimizer = await createOptimizer(config, trainee, session);
    const recompute = config.training.gradient_checkpointing;
    const graph: TrainingGraphOptions = {
      ...stepSpec(config, model, trainee),
      recompute: recompute === 'auto' ? 'none' : recompute,
      shape: { rows, length, lossTokens: rows * length },
      device,
    };
    const runner = new BatchRunner({
      ...graph,
      tensors: trainee.tensors,
      session: {
        ...session,
        tf32: config.engine.tf32,
        weightsFolder: model.weights.files().folder,
      },
    });
    const batch = randomBatch(parts);
    return new TrainingStep({ graph, batch, trainee, optimizer, notices, config, runner });
  }

  /** As a run's step; gives its loss. */
  async run(): Promise<number> {
    const { optimizer, batch } = this;
    optimizer.clearGradients();
    const scale = 1 / batch.numSupervisedTokens;
    const loss = await this.#runner.run(batch, scale, 1, optimizer.gradients);
    const norm = await optimizer.gradientNorm();
    await optimizer.step(this.#config.training.learning_rate, norm);
    return loss;
  }

  async release(): Promise<void> {
    await this.#runner.release();
    await this.optimizer.release();
  }
}

/** All of whose tokens are learned. */
function randomBatch({ config, model, rows, length }: StepParts): Batch {
  const random = new Random(7);
  const example = (tokens: number) => ({
    inputIds: Int32Array.from({ length: tokens }, () => random.uint32() % model.config.vocabSize),
    supervised: new Uint8Array(tokens).fill(1),
    ...{ file: 'random', line: 1, truncated: false },
  });
  const examples = config.data.packing ? PACKED : 1;
  const row = () => Array.from({ length: examples }, () => example(length / examples));
  return makeBatch(Array.from({ length: rows }, row), length, 0);
}
