import { cp, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { BaseModel } from '../../../engine/models/base-model.ts';
import { openWeights } from '../../../engine/models/hugging-face-folder.ts';
import { quantizedWeights, storedSource } from '../../../engine/weights/make-weights.ts';
import type { Quantization } from '../../../engine/weights/quantization.ts';
import { goldenPath } from '../../support/golden.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import {
  goldenCase,
  goldenModel,
  goldenRunner,
  valuesOf,
  zeroGradients,
} from '../train/golden-case.ts';

/** A model with its linear layers quantized, in a cache folder of its own. */
export async function quantized(
  model: BaseModel,
  quantization: Quantization,
  cacheFolder?: string,
): Promise<BaseModel> {
  const source = storedSource(model.name, model.weights);
  const weights = await quantizedWeights(model.config, source, quantization, {
    cacheFolder: cacheFolder ?? (await tempFolder()),
  });
  return { ...model, weights };
}

/** What is said of each tensor of a model, but for where it lies. */
export function tensorSizes({ weights }: BaseModel): unknown[] {
  return [...weights.tensors.values()]
    .map(({ name, dtype, shape, length }) => [name, dtype, shape, length])
    .toSorted();
}

/** Loss and gradients of a reference run's first batch, with a model in place of its own. */
export async function firstStep(name: string, model: BaseModel) {
  const reference = { ...(await goldenCase(name)), model };
  const { trainee, runner } = await goldenRunner(reference, { recompute: 'layer' });
  const sums = zeroGradients(trainee);
  const loss = await runner.run(reference.steps[0]![0]!, 1, 0, sums);
  await runner.release();
  return { loss, gradients: valuesOf(sums) };
}

/** A model of which one weight holds NaN. */
export async function brokenModel(): Promise<{
  readonly model: BaseModel;
  readonly weight: string;
}> {
  const weight = 'model.layers.1.mlp.down_proj.weight';
  const model = await goldenModel('llama2');
  const folder = path.join(await tempFolder(), 'model');
  await cp(goldenPath('models', 'llama2'), folder, { recursive: true });
  const weights = await openWeights(folder, model.config);
  const { file, offset } = weights.get(weight);
  const bytes = await readFile(file);
  bytes.writeFloatLE(Number.NaN, offset + 400);
  await writeFile(file, bytes);
  return { model: { ...model, weights }, weight };
}
