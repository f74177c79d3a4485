import { access } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { Ranks } from '../accelerate/ranks.ts';
import type { ResolvedConfig } from '../config/schema.ts';
import type { Batch } from '../data/batches.ts';
import { LorafaError } from '../errors.ts';
import { removeFolder } from '../files/remove.ts';
import type { BaseModel } from '../models/base-model.ts';
import { expAvgName, expAvgSqName } from '../optim/adamw.ts';
import { withPadding } from '../plan/padding-multiple.ts';
import { CPU } from '../runtime/device.ts';
import { HostTensor } from '../runtime/host-tensor.ts';
import type { StateTensor } from '../runtime/state-tensor.ts';
import { restoreOptimizer, writeMoments } from './checkpoint.ts';
import { readCheckpointTensors } from './checkpoint-tensors.ts';
import { OPTIMIZER_FILE } from './result-files.ts';
import { createTrainee, type Trainee } from './trainee.ts';
import type {
  BackendChoice,
  BackendParts,
  BackendQuestion,
  BackendStep,
  OpenBackend,
  StepResult,
  TrainingBackend,
} from './training-backend.ts';

/** Of a position whose next token is not learned, as in PyTorch. */
const IGNORED = -100;

/** A number that may not be finite, which JSON has no word for. */
const measured = z.union([z.number(), z.null().transform(() => Number.NaN)]);
const stepAnswer = z.object({ loss: measured, grad_norm: measured });
const lossAnswer = z.object({ loss: measured });
const noAnswer = z.object({});

/**
 * Hugging Face Accelerate in the Python of a configuration, whose processes are started for it.
 *
 * @throws LorafaError as `Ranks.start`
 */
export async function chooseAccelerate(
  given: ResolvedConfig,
  { padding, onEvent }: BackendQuestion,
): Promise<BackendChoice> {
  const progress = (done: number): void =>
    onEvent({ type: 'progress', task: 'starting Python', done, total: 1 });
  progress(0);
  const config = withPadding(given, CPU, padding);
  const ranks = await Ranks.start(config);
  progress(1);
  return {
    config,
    environment: {
      backend: 'accelerate',
      device: ranks.hello.device,
      processes: ranks.count,
      ...ranks.hello.packages,
    },
    open: (parts) => openAccelerate(config, ranks, parts),
    release: () => ranks.release(),
  };
}

async function openAccelerate(
  config: ResolvedConfig,
  ranks: Ranks,
  { base, start: { checkpoint, state }, onEvent }: BackendParts,
): Promise<OpenBackend> {
  await requireTransformersModel(base);
  const trainee = await createTrainee(config, base, { checkpoint });
  const moments = momentsOf(trainee);
  if (checkpoint !== undefined) {
    const restore = (stored: ReadonlyMap<string, Float32Array>): void => {
      for (const [name, moment] of moments) moment.write(stored.get(name)!);
    };
    await restoreOptimizer(checkpoint, { moments, restore }, state.global_step);
  }
  const progress = (done: number): void =>
    onEvent({ type: 'progress', task: 'loading the model in Python', done, total: 1 });
  progress(0);
  await load(config, ranks, { base, trainee, moments, steps: state.global_step });
  progress(1);
  const { device } = ranks.hello;
  return {
    backend: new AccelerateBackend(ranks, trainee, moments),
    sampler: undefined,
    summary: {
      device: `${ranks.count === 1 ? device : `${ranks.count} × ${device}`} (Accelerate)`,
      gradientCheckpointing: isCheckpointed(config) ? 'layer' : 'none',
      compute: config.accelerate.mixed_precision === 'bf16' ? 'bfloat16' : 'float32',
    },
    chosen: undefined,
    notices: new Set(),
  };
}

/** Hands over the base's place, and adapter and moments as they are here. */
async function load(
  config: ResolvedConfig,
  ranks: Ranks,
  {
    base,
    trainee,
    moments,
    steps,
  }: {
    readonly base: BaseModel;
    readonly trainee: Trainee;
    readonly moments: ReadonlyMap<string, StateTensor>;
    readonly steps: number;
  },
): Promise<void> {
  const { training } = config;
  const adapter = ranks.file('adapter');
  await trainee.save(adapter, true);
  if (steps > 0) await writeMoments(adapter, moments);
  const command = {
    do: 'load',
    model: base.path,
    adapter,
    moments: steps > 0 ? path.join(adapter, OPTIMIZER_FILE) : null,
    steps,
    trained: trainee.trainable.map(({ name }) => name),
    decayed: trainee.trainable.filter(({ decays = true }) => decays).map(({ name }) => name),
    method: training.method,
    gradient_checkpointing: isCheckpointed(config),
    betas: [training.adam_beta1, training.adam_beta2],
    eps: training.adam_epsilon,
    weight_decay: training.weight_decay,
    max_grad_norm: training.max_grad_norm,
  };
  await ranks.ask(
    Array.from({ length: ranks.count }, () => command),
    noAnswer,
  );
  await removeFolder(adapter);
}

/** Steps in the processes of Accelerate, which share the batches. */
class AccelerateBackend implements TrainingBackend {
  readonly trainee: Trainee;
  readonly moments: ReadonlyMap<string, StateTensor>;
  readonly #ranks: Ranks;
  /** Whether a step was made since what is here was fetched. */
  #isBehind = false;

  constructor(ranks: Ranks, trainee: Trainee, moments: ReadonlyMap<string, StateTensor>) {
    this.#ranks = ranks;
    this.trainee = trainee;
    this.moments = moments;
  }

  async step({ batches, dropoutSeeds, learningRate }: BackendStep): Promise<StepResult> {
    const supervised = batches.reduce((sum, batch) => sum + batch.numSupervisedTokens, 0);
    const given = batches.map((batch, index) => ({
      ...tokensOf(batch),
      seed: dropoutSeeds[index]!,
    }));
    const answers = await this.#ranks.ask(
      Array.from({ length: this.#ranks.count }, (_, rank) => ({
        do: 'step',
        batches: this.#shareOf(rank, given),
        supervised,
        learning_rate: learningRate,
      })),
      stepAnswer,
    );
    this.#isBehind = true;
    return {
      loss: answers.reduce((sum, { loss }) => sum + loss, 0),
      // The gradients of all, of which each knows the sum.
      gradientNorm: answers[0]!.grad_norm,
    };
  }

  get batchesAtOnce(): number {
    return this.#ranks.count;
  }

  async lossOf(batches: readonly Batch[]): Promise<number> {
    const commands = batches.map((batch) => ({ do: 'evaluate', batch: tokensOf(batch) }));
    const answers = await this.#ranks.ask(commands, lossAnswer);
    return answers.reduce((sum, { loss }) => sum + loss, 0);
  }

  async fetch(): Promise<void> {
    if (!this.#isBehind) return;
    const file = this.#ranks.file('state.safetensors');
    await this.#ranks.ask([{ do: 'fetch', file }], noAnswer);
    const { tensors, trainable } = this.trainee;
    const trained = trainable.map(({ name }) => [name, tensors.get(name)!] as const);
    const all = new Map<string, StateTensor>([...trained, ...this.moments]);
    const values = await readCheckpointTensors(file, all);
    for (const [name, tensor] of all) tensor.write(values.get(name)!);
    await removeFolder(file);
    this.#isBehind = false;
  }

  /** The processes are released by whoever started them. */
  async release(): Promise<void> {
    this.trainee.release();
  }

  /** Every process has a batch, for their gradients are added up: the last step of an epoch may have too few. */
  #shareOf<T extends BatchTokens>(rank: number, batches: readonly T[]): readonly T[] {
    const share = batches.filter((_, index) => index % this.#ranks.count === rank);
    if (share.length > 0) return share;
    const [first] = batches as [T, ...T[]];
    return [{ ...first, targets: first.targets.map((row) => row.map(() => IGNORED)) }];
  }
}

/** A batch as Python takes it. */
interface BatchTokens {
  readonly input_ids: readonly (readonly number[])[];
  /** The token that follows each one; {@link IGNORED} where it is not learned. */
  readonly targets: readonly (readonly number[])[];
}

function tokensOf({ batchSize, sequenceLength, inputIds, targets, weights }: Batch): BatchTokens {
  const rows = (value: (place: number) => number): number[][] =>
    Array.from({ length: batchSize }, (_, row) =>
      Array.from({ length: sequenceLength }, (_, at) => value(row * sequenceLength + at)),
    );
  return {
    input_ids: rows((place) => Number(inputIds[place])),
    targets: rows((place) => (weights[place] === 0 ? IGNORED : Number(targets[place]))),
  };
}

function momentsOf({ trainable }: Trainee): ReadonlyMap<string, StateTensor> {
  return new Map(
    trainable.flatMap(({ name, shape }) =>
      [expAvgName, expAvgSqName].map(
        (momentName) => [momentName(name), new HostTensor(shape)] as const,
      ),
    ),
  );
}

/** `auto` goes by memory that nobody here knows, so that it is `none`. */
function isCheckpointed({ training }: ResolvedConfig): boolean {
  return training.gradient_checkpointing === 'layer';
}

/** @throws LorafaError `model.unsupported` for what PEFT loads otherwise, or transformers not at all */
async function requireTransformersModel({ path: folder, name, config }: BaseModel): Promise<void> {
  const isFolder = await access(path.join(folder, 'config.json')).then(
    () => true,
    () => false,
  );
  const what = !isFolder
    ? 'a GGUF file'
    : config.isPart
      ? 'a model with other parts than its text'
      : config.layers.some(({ mlp }) => mlp.kind === 'experts')
        ? 'a mixture of experts'
        : undefined;
  if (what === undefined) return;
  throw new LorafaError(
    'model.unsupported',
    `${name} is ${what}, which engine.backend "accelerate" does not train yet; use "onnxruntime".`,
    { location: { file: folder } },
  );
}
