import { access } from 'node:fs/promises';
import path from 'node:path';
import { expectedTensors } from '../../engine/architectures/expected-tensors.ts';
import { parseDecoderConfig } from '../../engine/architectures/hugging-face-config.ts';
import { defaultCacheFolder } from '../../engine/cache-folder.ts';
import { writeFileAtomic } from '../../engine/files/atomic-file.ts';
import { ensureFolder } from '../../engine/files/folders.ts';
import { float32ToBfloat16 } from '../../engine/formats/float16.ts';
import { writeSafetensors } from '../../engine/formats/safetensors-writer.ts';
import { elementCount } from '../../engine/formats/tensor-location.ts';
import { Random } from '../../engine/random.ts';
import { saveTokenizerFiles } from '../../engine/tokenizer/save-tokenizer.ts';
import { byteLevelFiles } from '../engine/tokenizer/tiny-tokenizer.ts';
import { MODEL_SHAPES, type ModelShape } from './model-shapes.ts';

/** Raise when the models change, so that those made before are not used any more. */
const VERSION = 1;

/** Normal values that weights are drawn from; drawing each anew would take minutes for a billion. */
const DRAWS = 2 ** 16;

/** Where models are kept unless given: the engine's own cache. */
export function benchModelsFolder(): string {
  return path.join(defaultCacheFolder(), 'bench');
}

/**
 * A Hugging Face folder with a model of the shape: random bfloat16 weights as transformers would
 * initialise them, and a tokenizer whose tokens are bytes. It is made on the first call; the same
 * shape always gets the same weights.
 *
 * @param parent the folder to keep it in
 */
export async function randomModel(
  shape: ModelShape,
  parent = benchModelsFolder(),
): Promise<string> {
  const folder = path.join(parent, `${shape}-v${VERSION}`);
  const file = path.join(folder, 'config.json');
  if (await exists(file)) return folder;
  const config = MODEL_SHAPES[shape];
  await ensureFolder(folder);
  await saveTokenizerFiles(folder, byteLevelFiles({ chatTemplate: null }));
  const draws = normalDraws(config.initializer_range);
  const tensors = [...expectedTensors(parseDecoderConfig(config, file))];
  await writeSafetensors(
    path.join(folder, 'model.safetensors'),
    tensors.map(([name, shape], index) => ({
      name,
      shape,
      dtype: 'BF16',
      data: () =>
        shape.length === 1
          ? new Float32Array(elementCount(shape)).fill(1)
          : randomWeights(elementCount(shape), draws, index + 1),
    })),
    { format: 'pt' },
  );
  // Written last: a folder that has it is complete.
  await writeFileAtomic(file, `${JSON.stringify(config, null, 2)}\n`);
  return folder;
}

/** Bits of bfloat16 values of a normal distribution. */
function normalDraws(deviation: number): Uint16Array {
  const random = new Random(0);
  return float32ToBfloat16(Float32Array.from({ length: DRAWS }, () => deviation * random.normal()));
}

/** Draws at places that Marsaglia's xorshift32 chooses. @param seed not 0 */
function randomWeights(size: number, draws: Uint16Array, seed: number): Uint8Array {
  const bits = new Uint16Array(size);
  let state = seed;
  for (let i = 0; i < size; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bits[i] = draws[state >>> 16]!;
  }
  return new Uint8Array(bits.buffer);
}

function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
