import { access } from 'node:fs/promises';
import path from 'node:path';
import type { DecoderConfig } from '../architectures/decoder-config.ts';
import { LorafaError } from '../errors.ts';
import { openSafetensors, type SafetensorsFile } from '../formats/safetensors.ts';
import { isFloatDtype, readTensor } from '../formats/tensor-data.ts';
import { formatShape, type TensorLocation } from '../formats/tensor-location.ts';
import { readFolderTemplate, type TemplateText } from '../tokenizer/tokenizer-files.ts';
import {
  ADAPTER_WEIGHTS_FILE,
  type Adapter,
  type AdapterTensor,
  adapterTensors,
} from './adapter.ts';
import { readAdapterConfig } from './adapter-config.ts';
import type { LoraModule } from './lora-module.ts';
import { quoteAll } from './name-patterns.ts';
import { configError, requirePairs } from './require-pairs.ts';
import { selectModules } from './select-modules.ts';

/** An adapter read from disk. */
export interface LoadedAdapter extends Adapter {
  /** The base model that the adapter was made for, as its maker called it. */
  readonly baseModelNameOrPath: string | null;
  /** Modules of the adapter that found their place in the model; always all of `total`. */
  readonly matched: number;
  readonly total: number;
  /** The chat template that lies beside it; undefined where the base model's own is meant. */
  readonly chatTemplate: TemplateText | undefined;
}

/** An adapter on disk, checked against its base model: no weights have been read. */
export interface AdapterOnDisk extends Pick<LoadedAdapter, 'config' | 'modules'> {
  readonly baseModelNameOrPath: string | null;
  /** Exactly the tensors of the modules. */
  readonly tensors: ReadonlyMap<string, TensorLocation>;
}

/**
 * Opens a LoRA adapter that PEFT or {@link saveAdapter} saved.
 *
 * @throws LorafaError `adapter.not_found`, `adapter.corrupt`, `adapter.unsupported` for what is not
 * plain LoRA, `adapter.mismatch` when configuration, tensors and model do not fit together.
 */
export async function openAdapter(folder: string, decoder: DecoderConfig): Promise<AdapterOnDisk> {
  const { config, baseModelNameOrPath } = await readAdapterConfig(folder);
  const { modules } = selectModules(config, decoder, configError(folder));
  const { tensors } = await openWeightsFile(folder);
  checkFit(path.join(folder, ADAPTER_WEIGHTS_FILE), tensors, modules);
  return { config, modules, baseModelNameOrPath, tensors };
}

/**
 * Reads a LoRA adapter; any float type becomes float32.
 *
 * @throws LorafaError as {@link openAdapter}, `adapter.corrupt` for weights that are no numbers, and
 * `model.tokenizer` for a chat template that cannot be read.
 */
export async function loadAdapter(folder: string, decoder: DecoderConfig): Promise<LoadedAdapter> {
  const { tensors, ...adapter } = await openAdapter(folder, decoder);
  const weights = new Map<string, Float32Array>();
  for (const [name, location] of tensors) weights.set(name, await readFinite(location));
  const total = adapter.modules.length;
  return {
    ...adapter,
    weights,
    matched: total,
    total,
    chatTemplate: await readFolderTemplate(folder),
  };
}

/**
 * Makes sure, as far as can be told without a base model, that a folder holds a whole adapter whose weights are
 * numbers.
 *
 * @returns where its tensors lie
 * @throws LorafaError `adapter.not_found`, `adapter.corrupt`, `adapter.unsupported`
 */
export async function requireWholeAdapter(
  folder: string,
): Promise<ReadonlyMap<string, TensorLocation>> {
  const { config } = await readAdapterConfig(folder);
  const { tensors } = await openWeightsFile(folder);
  requirePairs(folder, config, tensors);
  for (const location of tensors.values()) await readFinite(location);
  return tensors;
}

async function openWeightsFile(folder: string): Promise<SafetensorsFile> {
  const file = path.join(folder, ADAPTER_WEIGHTS_FILE);
  try {
    await access(file);
  } catch (error) {
    throw new LorafaError(
      'adapter.not_found',
      `${folder} has no readable ${ADAPTER_WEIGHTS_FILE}; save the adapter again as safetensors (pickled .bin files are not read).`,
      { location: { file }, cause: error },
    );
  }
  return openSafetensors(file, { notFound: 'adapter.not_found', corrupt: 'adapter.corrupt' });
}

/** Makes sure that the file holds exactly the tensors of the modules. */
function checkFit(
  file: string,
  tensors: ReadonlyMap<string, TensorLocation>,
  modules: readonly LoraModule[],
): void {
  const isMatched = (tensor: AdapterTensor) => fits(tensor, tensors.get(tensor.name));
  const pairs = modules.map(adapterTensors);
  const expected = pairs.flat();
  const names = new Set(expected.map(({ name }) => name));
  const unexpected = [...tensors.keys()].filter((name) => !names.has(name));
  const unmatched = expected.filter((tensor) => !isMatched(tensor));
  if (modules.length > 0 && unexpected.length === 0 && unmatched.length === 0) return;
  const missing = unmatched.filter(({ name }) => !tensors.has(name)).map(({ name }) => name);
  const misshapen = unmatched.flatMap((tensor) => {
    const found = tensors.get(tensor.name);
    return found === undefined ? [] : [describeMisshapen(tensor, found)];
  });
  const problems = [
    ...(modules.length === 0 ? ['its configuration chooses no layer'] : []),
    ...(missing.length > 0 ? [`missing tensors: ${missing.length} (${quoteAll(missing)})`] : []),
    ...(misshapen.length > 0 ? [`tensors that differ: ${misshapen.length} (${misshapen[0]})`] : []),
    ...(unexpected.length > 0
      ? [`tensors without a place: ${unexpected.length} (${quoteAll(unexpected)})`]
      : []),
  ];
  throw new LorafaError(
    'adapter.mismatch',
    `${file} does not fit the model, ${pairs.filter((pair) => pair.every(isMatched)).length} of ${modules.length} modules matched; ${problems.join('; ')}; use the adapter with the base model it was made for.`,
    { location: { file } },
  );
}

function fits({ shape }: AdapterTensor, location: TensorLocation | undefined): boolean {
  return (
    location !== undefined &&
    isFloatDtype(location.dtype) &&
    formatShape(location.shape) === formatShape(shape)
  );
}

function describeMisshapen({ name, shape }: AdapterTensor, found: TensorLocation): string {
  return `"${name}" is ${found.dtype} ${formatShape(found.shape)} where floats ${formatShape(shape)} are needed`;
}

async function readFinite(location: TensorLocation): Promise<Float32Array> {
  const values = await readTensor(location);
  const index = values.findIndex((value) => !Number.isFinite(value));
  if (index < 0) return values;
  throw new LorafaError(
    'adapter.corrupt',
    `Tensor "${location.name}" in ${location.file} holds NaN or infinity (element ${index}); the adapter is damaged or its training failed, so use another copy.`,
    { location: { file: location.file, offset: location.offset } },
  );
}
