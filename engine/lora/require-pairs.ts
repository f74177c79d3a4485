import path from 'node:path';
import { LorafaError } from '../errors.ts';
import { isFloatDtype } from '../formats/tensor-data.ts';
import { formatShape, type TensorLocation } from '../formats/tensor-location.ts';
import { ADAPTER_CONFIG_FILE, ADAPTER_WEIGHTS_FILE } from './adapter.ts';
import type { LoraConfig } from './lora-config.ts';
import { loraAName, loraBName, moduleOf } from './lora-module.ts';
import type { FieldError } from './name-patterns.ts';
import { ranksOf } from './select-modules.ts';

/** The error for a field of the configuration in an adapter's folder. */
export function configError(folder: string): FieldError {
  const file = path.join(folder, ADAPTER_CONFIG_FILE);
  return (field, problem) =>
    new LorafaError('adapter.corrupt', `\`${field}\` in ${file} ${problem}.`, {
      location: { file },
    });
}

/**
 * Makes sure, as far as can be told without the base model, that the tensors of an adapter are what its
 * configuration says: matrices of floats, an A and a B for each layer, both of the layer's rank, and nothing else.
 *
 * @throws LorafaError `adapter.corrupt`, naming the tensor
 */
export function requirePairs(
  folder: string,
  config: Pick<LoraConfig, 'r' | 'rank_pattern'>,
  tensors: ReadonlyMap<string, TensorLocation>,
): void {
  const file = path.join(folder, ADAPTER_WEIGHTS_FILE);
  const fail = (problem: string): LorafaError =>
    new LorafaError('adapter.corrupt', `${file} ${problem}; use another copy of the adapter.`, {
      location: { file },
    });
  if (tensors.size === 0) throw fail('holds no tensors');
  for (const { name, dtype, shape } of tensors.values()) {
    if (moduleOf(name) === undefined) {
      throw fail(`holds the tensor "${name}", which is neither A nor B of a layer`);
    }
    if (!isFloatDtype(dtype) || shape.length !== 2) {
      throw fail(
        `holds the tensor "${name}" as ${dtype} ${formatShape(shape)} where a matrix of floats is needed`,
      );
    }
  }
  const modules = [...new Set([...tensors.keys()].map((name) => moduleOf(name)!))];
  const rankOf = ranksOf(config, modules, configError(folder));
  for (const module of modules) {
    const r = rankOf(module);
    for (const [name, at] of [
      [loraAName(module), 0],
      [loraBName(module), 1],
    ] as const) {
      const shape = tensors.get(name)?.shape;
      if (shape === undefined)
        throw fail(`has no tensor "${name}", without which its other half is of no use`);
      if (shape[at] !== r) {
        throw fail(
          `holds the tensor "${name}" of the shape ${formatShape(shape)}, where ${ADAPTER_CONFIG_FILE} gives the layer the rank ${r}`,
        );
      }
    }
  }
}
