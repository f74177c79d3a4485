import type { Batch } from '../../engine/data/batches.ts';
import { HostTensor } from '../../engine/runtime/host-tensor.ts';
import { Session } from '../../engine/runtime/session.ts';
import type { StateTensor } from '../../engine/runtime/state-tensor.ts';
import { batchFeeds } from '../../engine/step/batch-runner.ts';
import {
  gradientSumName,
  type TrainingGraphOptions,
  trainingGraph,
} from '../../engine/step/training-graph.ts';
import { roundingSpelledOut } from './rounding-spelled-out.ts';

/** What a step for CUDA in bfloat16 comes to, by what its kernels promise: computed on the CPU. */
export async function spelledOutStep(
  options: TrainingGraphOptions,
  tensors: ReadonlyMap<string, StateTensor>,
  batch: Batch,
  scale: number,
): Promise<{ readonly loss: number; readonly gradients: ReadonlyMap<string, Float32Array> }> {
  const { feeds, lossTokens } = batchFeeds(batch, scale, 0);
  const { batchSize: rows, sequenceLength: length } = batch;
  const graph = trainingGraph({ ...options, shape: { rows, length, lossTokens } });
  const session = await Session.create(roundingSpelledOut(graph), {
    threads: 1,
    weightsFolder: options.model.weights.files().folder,
  });
  const sums = new Map(
    options.trainable.map((name) => [name, new HostTensor(tensors.get(name)!.shape)]),
  );
  const inputs = [...sums].map(([name, sum]) => [gradientSumName(name), sum] as const);
  const results = await session.run(
    { ...Object.fromEntries(tensors), ...Object.fromEntries(inputs), ...feeds },
    Object.fromEntries(sums),
  );
  await session.release();
  const gradients = new Map([...sums].map(([name, sum]) => [name, sum.read().slice()]));
  return { loss: Number(results['loss']!.data[0]), gradients };
}
