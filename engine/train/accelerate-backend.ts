import { z } from 'zod';
import { Ranks } from '../accelerate/ranks.ts';
import type { ResolvedConfig } from '../config/schema.ts';
import type { Batch } from '../data/batches.ts';
import { removeFolder } from '../files/remove.ts';
import { openBaseModel } from '../models/base-model.ts';
import { expAvgName, expAvgSqName } from '../optim/adamw.ts';
import { withPadding } from '../plan/padding-multiple.ts';
import { requireTransformers } from '../plan/transformers-limit.ts';
import { CPU } from '../runtime/device.ts';
import { HostTensor } from '../runtime/host-tensor.ts';
import type { StateTensor } from '../runtime/state-tensor.ts';
import { restoreOptimizer } from './checkpoint.ts';
import { readCheckpointTensors } from './checkpoint-tensors.ts';
import { programBatch, stepCommand, trainingSettings, writeStart } from './program-commands.ts';
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

/** A number that may not be finite, which JSON has no word for. */
const measured = z.union([z.number(), z.null().transform(() => Number.NaN)]);
const stepAnswer = z.object({
  loss: measured,
  grad_norm: measured,
  device: z.string(),
  memory: z.number(),
});
const lossAnswer = z.object({ loss: measured });
const noAnswer = z.object({});

/**
 * Hugging Face Accelerate in the Python of a configuration, whose processes are started for it.
 *
 * @throws LorafaError as `requireTransformers` and `Ranks.start`
 */
export async function chooseAccelerate(
  given: ResolvedConfig,
  { padding, onEvent, onOutput }: BackendQuestion,
): Promise<BackendChoice> {
  const { base_model_name_or_path: place } = given.model;
  requireTransformers(given, await openBaseModel(place, { headersOnly: true }));
  const { num_machines: machines } = given.accelerate;
  const task =
    machines === 1 ? 'starting Python' : 'starting Python here and on the other machines';
  const progress = (done: number): void => onEvent({ type: 'progress', task, done, total: 1 });
  progress(0);
  const config = withPadding(given, CPU, padding);
  const ranks = await Ranks.start(config, onOutput);
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
  parts: BackendParts,
): Promise<OpenBackend> {
  const {
    base,
    start: { checkpoint, state },
    onEvent,
  } = parts;
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
  await load(config, ranks, parts, trainee, moments);
  progress(1);
  const { device } = ranks.hello;
  const { gradient_checkpointing } = config.training;
  const { distributed_type, mixed_precision } = config.accelerate;
  const name = distributed_type === 'fsdp' ? 'Accelerate, FSDP' : 'Accelerate';
  return {
    backend: new AccelerateBackend(ranks, trainee, moments),
    sampler: undefined,
    summary: {
      device: `${ranks.count === 1 ? device : `${ranks.count} × ${device}`} (${name})`,
      processes: ranks.count,
      gradientCheckpointing: gradient_checkpointing === 'layer' ? 'layer' : 'none',
      compute: mixed_precision === 'bf16' ? 'bfloat16' : 'float32',
    },
    chosen: undefined,
    notices: new Set(),
  };
}

/** Hands over the base's place, and adapter and moments as they are here. */
async function load(
  config: ResolvedConfig,
  ranks: Ranks,
  { base, start: { state } }: Pick<BackendParts, 'base' | 'start'>,
  trainee: Trainee,
  moments: ReadonlyMap<string, StateTensor>,
): Promise<void> {
  const { global_step: steps } = state;
  const start = ranks.file('start');
  await writeStart(start, trainee, steps === 0 ? undefined : moments);
  const settings = trainingSettings(config, trainee);
  const command = { do: 'load', model: base.path, revision: null, start, steps, ...settings };
  await ranks.ask(command, noAnswer);
  await removeFolder(start);
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

  async step(step: BackendStep): Promise<StepResult> {
    // Those of this machine, each of which knows what all have found.
    const answers = await this.#ranks.ask(stepCommand(step), stepAnswer);
    const [answer] = answers;
    this.#isBehind = true;
    return {
      loss: answer!.loss,
      gradientNorm: answer!.grad_norm,
      ranks: answers.map(({ device, memory }, rank) => {
        const tokens = tokensOf(step.batches, rank, this.#ranks.count);
        return { device, memory, tokens };
      }),
    };
  }

  get batchesAtOnce(): number {
    return this.#ranks.count;
  }

  async lossOf(batches: readonly Batch[]): Promise<number> {
    const command = { do: 'evaluate', batches: batches.map(programBatch) };
    const [answer] = await this.#ranks.ask(command, lossAnswer);
    return answer!.loss;
  }

  async fetch(): Promise<void> {
    if (!this.#isBehind) return;
    const file = this.#ranks.file('state.safetensors');
    await this.#ranks.ask({ do: 'fetch', file }, noAnswer);
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
}

/** Tokens of the batches that a process takes of a step, as `_share` of the program deals them. */
function tokensOf(batches: readonly Batch[], rank: number, processes: number): number {
  return batches
    .filter((_, index) => index % processes === rank)
    .reduce((sum, { numTokens }) => sum + numTokens, 0);
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
