import type { DecoderConfig } from '../architectures/decoder-config.ts';
import { expectedTensors } from '../architectures/expected-tensors.ts';
import { LorafaError } from '../errors.ts';
import { isFloatDtype } from '../formats/tensor-data.ts';
import { formatShape, type TensorLocation } from '../formats/tensor-location.ts';
import { WeightStore } from './weight-store.ts';

/**
 * Picks the tensors that a decoder of this config reads and checks each; tensors that it does not
 * read (a tied `lm_head.weight`, old rotary tables) are left out. Layers are counted first, so that
 * a config that claims many of them costs no more than one that tells the truth.
 *
 * @param origin The folder or file that the model was opened from, for messages.
 * @throws LorafaError `model.missing_tensor`, `model.shape_mismatch`, or `model.unsupported` for
 * weights that are not floating point.
 */
export function selectWeights(
  config: DecoderConfig,
  available: ReadonlyMap<string, TensorLocation>,
  origin: string,
): WeightStore {
  requireLayers(config, available, origin);
  const selected = new Map<string, TensorLocation>();
  for (const [name, shape] of expectedTensors(config)) {
    const location = available.get(name);
    if (location === undefined) {
      throw new LorafaError(
        'model.missing_tensor',
        `${origin} has no tensor "${name}" of shape ${formatShape(shape)}, which its config calls for; download the model again or check that its config.json belongs to it.`,
        { location: { file: origin } },
      );
    }
    checkTensor(location, shape);
    selected.set(name, location);
  }
  return new WeightStore(selected);
}

function requireLayers(
  { layers, layersName }: DecoderConfig,
  available: ReadonlyMap<string, TensorLocation>,
  origin: string,
): void {
  const prefix = `${layersName}.`;
  const stored = new Set(
    [...available.keys()]
      .filter((name) => name.startsWith(prefix))
      .map((name) => name.slice(prefix.length).split('.', 1)[0]),
  );
  if (stored.size >= layers.length) return;
  throw new LorafaError(
    'model.missing_tensor',
    `${origin} has tensors of ${stored.size} layers where its config calls for ${layers.length}; download the model again or check that its config.json belongs to it.`,
    { location: { file: origin } },
  );
}

function checkTensor(
  { name, file, offset, shape: actual, dtype }: TensorLocation,
  expected: readonly number[],
): void {
  if (formatShape(actual) !== formatShape(expected)) {
    throw new LorafaError(
      'model.shape_mismatch',
      `Tensor "${name}" in ${file} has the shape ${formatShape(actual)} where the model's config calls for ${formatShape(expected)}; check that config.json belongs to these weights.`,
      { location: { file, offset } },
    );
  }
  if (!isFloatDtype(dtype) || dtype === 'F64') {
    throw new LorafaError(
      'model.unsupported',
      `Tensor "${name}" in ${file} holds ${dtype}; known for weights are F32, F16 and BF16, so use the unquantized model.`,
      { location: { file, offset } },
    );
  }
}
