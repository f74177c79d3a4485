import type { Recompute } from '../../../engine/architectures/decoder-graph.ts';
import { configSchema, type ResolvedConfig } from '../../../engine/config/schema.ts';
import { type Batch, makeBatch } from '../../../engine/data/batches.ts';
import type { BaseModel } from '../../../engine/models/base-model.ts';
import { openWeights, readDecoderConfig } from '../../../engine/models/hugging-face-folder.ts';
import { HostTensor } from '../../../engine/runtime/host-tensor.ts';
import type { StateTensor } from '../../../engine/runtime/state-tensor.ts';
import { BatchRunner } from '../../../engine/step/batch-runner.ts';
import { stepSpec } from '../../../engine/step/step-spec.ts';
import { createTrainee, type Trainee } from '../../../engine/train/trainee.ts';
import { type GoldenTensor, goldenJson, goldenPath, goldenTensors } from '../../support/golden.ts';
import { byteLevelFiles } from '../tokenizer/tiny-tokenizer.ts';

/** `case.json` of a reference training run. */
export interface GoldenSettings {
  readonly model: string;
  readonly method: ResolvedConfig['training']['method'];
  readonly optimizer: {
    readonly lr: number;
    readonly weight_decay: number;
    /** Those that the reference's optimizer has when it is told none; so are the engine's. */
    readonly betas: readonly [number, number];
    readonly eps: number;
  };
  readonly lr_scheduler_type: ResolvedConfig['training']['lr_scheduler_type'];
  readonly lr_scheduler_kwargs: Record<string, number>;
  readonly warmup_steps: number;
  readonly steps: number;
  readonly gradient_accumulation_steps: number;
  readonly max_grad_norm: number;
  readonly batch_size: number;
  readonly sequence_length: number;
}

/** A reference training run, ready to be done again by the engine. */
export interface GoldenCase {
  readonly settings: GoldenSettings;
  readonly config: ResolvedConfig;
  readonly model: BaseModel;
  readonly golden: ReadonlyMap<string, GoldenTensor>;
  /** The micro-batches of every step. */
  readonly steps: readonly (readonly Batch[])[];
}

/** A base model of `golden/models`; its tokenizer is none that belongs to it. */
export async function goldenModel(name: string): Promise<BaseModel> {
  const folder = goldenPath('models', name);
  const { config, configJson } = await readDecoderConfig(folder);
  const weights = await openWeights(folder, config);
  return { path: folder, name, config, configJson, weights, tokenizer: byteLevelFiles() };
}

export async function goldenCase(name: string): Promise<GoldenCase> {
  const settings = goldenJson<GoldenSettings>('training', name, 'case.json');
  const { lr_scheduler_kwargs: kwargs, optimizer } = settings;
  const adapter = goldenPath('training', name, 'adapter_init');
  const config = configSchema.parse({
    model: { base_model_name_or_path: goldenPath('models', settings.model) },
    data: { dataset_name_or_path: 'rows.jsonl' },
    lora: settings.method === 'full' ? {} : { init_adapter: adapter },
    training: {
      method: settings.method,
      output_dir: 'out',
      max_steps: settings.steps,
      learning_rate: optimizer.lr,
      weight_decay: optimizer.weight_decay,
      max_grad_norm: settings.max_grad_norm,
      lr_scheduler_type: settings.lr_scheduler_type,
      ...(Object.keys(kwargs).length > 0 && { lr_scheduler_kwargs: kwargs }),
      warmup_steps: settings.warmup_steps,
    },
  });
  return {
    settings,
    config,
    model: await goldenModel(settings.model),
    golden: await goldenTensors('training', name, 'golden.safetensors'),
    steps: goldenBatches(settings, await goldenTensors('training', name, 'data.safetensors')),
  };
}

/** Settings of a runner that a reference run does not have. */
export interface RunnerOptions {
  readonly dropout?: number;
  readonly recompute?: Recompute;
  readonly packing?: boolean;
}

/** What a reference run trains, and what computes its losses and gradients. */
export async function goldenRunner(
  { config, model }: GoldenCase,
  { dropout = 0, recompute = 'none', packing = false }: RunnerOptions = {},
): Promise<{ readonly trainee: Trainee; readonly runner: BatchRunner }> {
  const trainee = await createTrainee(config, model);
  const runner = new BatchRunner({
    ...stepSpec(config, model, trainee),
    ...{ dropout, recompute, packing },
    tensors: trainee.tensors,
    session: { threads: 1, weightsFolder: model.weights.files().folder },
  });
  return { trainee, runner };
}

/** What gradients are added to. */
export function zeroGradients({ trainable }: Pick<Trainee, 'trainable'>): Map<string, HostTensor> {
  return new Map(trainable.map(({ name, shape }) => [name, new HostTensor(shape)]));
}

/** The numbers of tensors, as they are now. */
export function valuesOf(tensors: ReadonlyMap<string, StateTensor>): Map<string, Float32Array> {
  return new Map([...tensors].map(([name, tensor]) => [name, tensor.read().slice()]));
}

/** The mean loss over batches and its gradients, accumulated, at the start of a reference run. */
export async function accumulated(
  name: string,
  batches: readonly Batch[],
  options: RunnerOptions = {},
) {
  const { trainee, runner } = await goldenRunner(await goldenCase(name), options);
  const sums = zeroGradients(trainee);
  const supervised = batches.reduce((sum, batch) => sum + batch.numSupervisedTokens, 0);
  let loss = 0;
  for (const batch of batches) loss += await runner.run(batch, 1 / supervised, 0, sums);
  await runner.release();
  return { loss, gradients: valuesOf(sums), supervised };
}

function goldenBatches(
  settings: GoldenSettings,
  data: ReadonlyMap<string, GoldenTensor>,
): Batch[][] {
  const {
    batch_size: rows,
    sequence_length: length,
    gradient_accumulation_steps: parts,
  } = settings;
  const example = (row: number) => {
    const slice = (name: string): number[] =>
      Array.from({ length }, (_, i) => data.get(name)!.data[row * length + i]!);
    const size = slice('attention_mask').reduce((sum, item) => sum + item, 0);
    return {
      inputIds: Int32Array.from(slice('input_ids').slice(0, size)),
      supervised: Uint8Array.from(slice('labels').slice(0, size), (label) =>
        Number(label !== -100),
      ),
      truncated: false,
      file: 'data.safetensors',
      line: row + 1,
    };
  };
  return Array.from({ length: settings.steps }, (_, step) =>
    Array.from({ length: parts }, (_, part) => {
      const first = (step * parts + part) * rows;
      const examples = Array.from({ length: rows }, (_, row) => [example(first + row)]);
      return makeBatch(examples, length, 0);
    }),
  );
}
