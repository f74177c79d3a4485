import path from 'node:path';
import { expectedTensors } from '../architectures/expected-tensors.ts';
import type { ResolvedConfig } from '../config/schema.ts';
import { writeFileAtomic } from '../files/atomic-file.ts';
import { writeSafetensors } from '../formats/safetensors-writer.ts';
import { readTensor } from '../formats/tensor-data.ts';
import { publishedModel } from '../hub/hub-cache.ts';
import { ADAPTER_WEIGHTS_FILE, type Adapter, trainedTensors } from '../lora/adapter.ts';
import type { AdapterBase } from '../lora/adapter-config.ts';
import { stateOfAdapter } from '../lora/adapter-tensors.ts';
import { initAdapter } from '../lora/init-adapter.ts';
import { loadAdapter } from '../lora/load-adapter.ts';
import type { LoraConfig } from '../lora/lora-config.ts';
import type { LoraModule } from '../lora/lora-module.ts';
import { copyAdapter, saveAdapter } from '../lora/save-adapter.ts';
import type { BaseModel } from '../models/base-model.ts';
import { configText } from '../models/config-text.ts';
import type { TrainableTensor } from '../optim/adamw.ts';
import { decaysInTrainer, layerNormNames } from '../optim/decay.ts';
import { lorafaProjections, projectionName } from '../optim/lorafa-projection.ts';
import { planTrainee } from '../plan/planned-trainee.ts';
import { readChatTemplate } from '../plan/run-tokenizer.ts';
import { CPU, type Device } from '../runtime/device.ts';
import { newStateTensor } from '../runtime/new-state-tensor.ts';
import type { StateTensor } from '../runtime/state-tensor.ts';
import type { Trained } from '../step/step-spec.ts';
import { saveTokenizerFiles } from '../tokenizer/save-tokenizer.ts';
import { type TemplateText, withTemplate } from '../tokenizer/tokenizer-files.ts';
import { readCheckpointTensors } from './checkpoint-tensors.ts';
import { MODEL_FILE } from './result-files.ts';

/** What a run trains: an adapter's B, an adapter's A and B, or a whole model. */
export interface Trainee extends Trained {
  readonly trainable: readonly TrainableTensor[];
  /**
   * Everything that graphs take as float32 inputs: trained tensors and frozen A matrices. Until an
   * optimizer takes them over, trained ones are on the host.
   */
  readonly tensors: Map<string, StateTensor>;
  readonly projections: ReadonlyMap<string, Float32Array>;
  /**
   * Writes the result into a folder: a PEFT adapter, or a Hugging Face model; with the chat template
   * that the configuration gave.
   *
   * @param exact keep float32 where the base is stored with less, to go on from later
   */
  save(folder: string, exact: boolean): Promise<void>;
  /** Writes the result as it was at a checkpoint, that is one of this run. */
  saveFrom(checkpoint: string, folder: string): Promise<void>;
  /** Frees the tensors. */
  release(): void;
}

/** How a trainee is set up. */
export interface TraineeOptions {
  readonly device?: Device;
  readonly checkpoint?: string | undefined;
}

/**
 * Sets up what `config.training.method` trains.
 *
 * @param options.device what trains; the CPU unless given
 * @param options.checkpoint folder that has its values; unless given, they are the initial ones
 * @throws LorafaError `checkpoint.corrupt` and `checkpoint.mismatch` for the checkpoint, as
 * `resolveTargets` and `loadAdapter` for an adapter, `readChatTemplate` for its template
 */
export async function createTrainee(
  config: ResolvedConfig,
  model: BaseModel,
  { device = CPU, checkpoint }: TraineeOptions = {},
): Promise<Trainee> {
  const { method } = config.training;
  const template = await readChatTemplate(config);
  const trained = await planTrainee(config, model, checkpoint);
  if (method === 'full') return fullTrainee(trained, model, checkpoint, template);
  const { modules } = trained;
  const start = await startingAdapter(config, model, modules, checkpoint);
  const targets = model.config.isPart ? namedOneByOne(start) : start.config;
  const names = new Set(trained.trainable.map(({ name }) => name));
  const tensors = stateOfAdapter(start, (name) => (names.has(name) ? CPU : device));
  return {
    ...trained,
    trainable: modules.flatMap((module) => trainableTensors(module, method)),
    tensors,
    projections:
      method === 'lorafa'
        ? await lorafaProjections(modules, start.weights, {
            threads: config.engine.intra_op_num_threads,
          })
        : new Map(),
    save: (folder) => {
      const adapter = { config: targets, modules, weights: valuesOf(tensors) };
      return saveAdapter(folder, adapter, baseOf(model), template?.text);
    },
    saveFrom: copyAdapter,
    release: () => releaseAll(tensors),
  };
}

/** What a model is called beside its adapters. */
function baseOf({ path: folder }: BaseModel): AdapterBase {
  const published = publishedModel(folder);
  return published === undefined
    ? { name: folder }
    : { name: published.name, revision: published.commit };
}

/** The same layers by their full names: shorter ones would be those of a model's other parts as well. */
function namedOneByOne({ config, modules }: Adapter): LoraConfig {
  const { exclude_modules: _excluded, layers_to_transform: _layers, ...rest } = config;
  return { ...rest, target_modules: modules.map(({ name }) => name) };
}

/**
 * The adapter that a session begins with. A run that began with a finished adapter may go on when
 * that one is gone: its checkpoints are adapters, too.
 */
async function startingAdapter(
  { lora, training }: ResolvedConfig,
  model: BaseModel,
  modules: readonly LoraModule[],
  checkpoint: string | undefined,
): Promise<Adapter> {
  if (lora.init_adapter !== undefined) {
    const loaded = await loadAdapter(checkpoint ?? lora.init_adapter, model.config);
    return { ...loaded, config: { ...loaded.config, lora_dropout: lora.lora_dropout } };
  }
  const start = initAdapter(modules, training.seed);
  const weights =
    checkpoint === undefined
      ? start
      : await readCheckpointTensors(path.join(checkpoint, ADAPTER_WEIGHTS_FILE), start);
  return { config: lora, modules, weights };
}

/** LoRA-FA's optimizer projects the gradient and lets all decay; for LoRA it is as in the Trainer. */
function trainableTensors(
  module: LoraModule,
  method: 'lorafa' | 'lora',
): readonly TrainableTensor[] {
  const tensors = trainedTensors(module, method);
  const projection = projectionName(module.name);
  return tensors.map((tensor) => ({
    ...tensor,
    ...(method === 'lorafa' ? { projection } : { decays: decaysInTrainer(tensor.name) }),
  }));
}

async function fullTrainee(
  trained: Trained,
  model: BaseModel,
  checkpoint: string | undefined,
  template: TemplateText | undefined,
): Promise<Trainee> {
  const { tokenizer } = model;
  const saved = {
    ...model,
    tokenizer: template === undefined ? tokenizer : withTemplate(tokenizer, template),
  };
  const layerNorms = layerNormNames(model.config);
  const tensors = new Map<string, StateTensor>();
  for (const { name, shape } of trained.trainable) {
    tensors.set(name, newStateTensor(CPU, shape, await readTensor(model.weights.get(name))));
  }
  if (checkpoint !== undefined) {
    const values = await readCheckpointTensors(path.join(checkpoint, MODEL_FILE), tensors);
    for (const [name, tensor] of tensors) tensor.write(values.get(name)!);
  }
  return {
    ...trained,
    trainable: trained.trainable.map((tensor) => ({
      ...tensor,
      decays: decaysInTrainer(tensor.name, layerNorms),
    })),
    tensors,
    projections: new Map(),
    save: (folder, exact) => saveModel(folder, saved, valuesOf(tensors), exact),
    async saveFrom(from, folder) {
      const weights = await readCheckpointTensors(path.join(from, MODEL_FILE), tensors);
      await saveModel(folder, saved, weights, false);
    },
    release: () => releaseAll(tensors),
  };
}

function valuesOf(tensors: ReadonlyMap<string, StateTensor>): Map<string, Float32Array> {
  return new Map([...tensors].map(([name, tensor]) => [name, tensor.read()]));
}

function releaseAll(tensors: ReadonlyMap<string, StateTensor>): void {
  for (const tensor of tensors.values()) tensor.release();
}

async function saveModel(
  folder: string,
  model: BaseModel,
  tensors: ReadonlyMap<string, Float32Array>,
  exact: boolean,
): Promise<void> {
  await writeSafetensors(
    path.join(folder, MODEL_FILE),
    [...expectedTensors(model.config)].map(([name, shape]) => {
      const stored = model.weights.get(name).dtype;
      const dtype = !exact && (stored === 'BF16' || stored === 'F16') ? stored : 'F32';
      return { name, shape, dtype, data: tensors.get(name)! };
    }),
    { format: 'pt' },
  );
  await writeFileAtomic(path.join(folder, 'config.json'), configText(model.configJson));
  await saveTokenizerFiles(folder, model.tokenizer);
}
