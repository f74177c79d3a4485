import { readFile } from 'node:fs/promises';
import type { DecoderConfig } from '../architectures/decoder-config.ts';
import { LorafaError } from '../errors.ts';
import { GenerationSessions } from '../generate/generation-sessions.ts';
import type { Graph } from '../graph/graph.ts';
import { Session } from '../runtime/session.ts';
import { int64, type Tensor } from '../runtime/tensor.ts';
import type { WeightStore } from '../weights/weight-store.ts';
import { wrong } from './check-export.ts';
import type { ExportProgress } from './export-format.ts';
import { ONNX_TENSORS as names, onnxDecoder } from './onnx-decoder.ts';

/** Tokens that are read at once, and those that are read over their cache. */
const CHUNKS = [8, 1, 3] as const;

/** Both graphs compute in float32 with the same weights: how far sums may differ, of the largest logit. */
const TOLERANCE = 1e-3;

/**
 * Loads a graph that was written, as other programs do, and compares the logits of a prompt, and of tokens after it,
 * with those of this project's own generation from the same weights.
 *
 * @param progress may end it
 * @throws LorafaError `export.wrong_values`, `device.failed`, `model.not_finite` where the weights give no logits
 */
export async function checkOnnx(
  file: string,
  config: DecoderConfig,
  weights: WeightStore,
  progress: ExportProgress,
): Promise<void> {
  const ids = prompt(config);
  progress(0);
  const expected = await ownLogits(config, weights, ids);
  const odd = expected.find((logit) => !Number.isFinite(logit));
  if (odd !== undefined) {
    throw new LorafaError(
      'model.not_finite',
      `The model gives the logit ${odd} for a prompt, so that it writes nothing of use; the base model or the adapter is damaged or was saved after a failed training, so use another copy.`,
    );
  }
  progress(0);
  const found = await fileLogits(file, config, weights, ids);
  const largest = expected.reduce((most, logit) => Math.max(most, Math.abs(logit)), 0);
  const at = expected.findIndex(
    (logit, i) => !(Math.abs(logit - found[i]!) <= TOLERANCE * largest),
  );
  if (at === -1) return;
  throw wrong(file, `gives the logit ${found[at]} where the model has ${expected[at]}`);
}

/** Tokens from all over the vocabulary, in chunks, no more than the model knows positions for. */
function prompt({ vocabSize, maxPositionEmbeddings }: DecoderConfig): readonly number[][] {
  let next = 0;
  let left = maxPositionEmbeddings;
  return CHUNKS.flatMap((size) => {
    const count = Math.min(size, left);
    left -= count;
    if (count === 0) return [];
    return [Array.from({ length: count }, () => Math.floor(((next++ * 0.618) % 1) * vocabSize))];
  });
}

async function ownLogits(
  config: DecoderConfig,
  weights: WeightStore,
  chunks: readonly number[][],
): Promise<number[]> {
  const sessions = new GenerationSessions({ config, weights });
  try {
    const sequence = await sessions.sequence(null);
    const logits: number[] = [];
    for (const ids of chunks) {
      const rows = await sequence.append(ids, [...ids.keys()]);
      for (const logit of rows) logits.push(logit);
    }
    return logits;
  } finally {
    await sessions.release();
  }
}

async function fileLogits(
  file: string,
  config: DecoderConfig,
  weights: WeightStore,
  chunks: readonly number[][],
): Promise<number[]> {
  const { folder } = weights.files();
  const graph = onnxDecoder(config, weights);
  const session = await Session.ofFile(graph, await readFile(file), { weightsFolder: folder });
  try {
    let cache = emptyCache(graph);
    let past = 0;
    const logits: number[] = [];
    for (const ids of chunks) {
      const shape = [1, ids.length];
      const all = past + ids.length;
      const outputs = await session.run({
        ...cache,
        [names.inputIds]: { data: int64(ids), shape },
        [names.attentionMask]: { data: int64(Array(all).fill(1)), shape: [1, all] },
        [names.positionIds]: { data: int64(ids.map((_, i) => past + i)), shape },
      });
      for (const logit of outputs[names.logits]!.data as Float32Array) logits.push(logit);
      cache = grownCache(config, outputs);
      past = all;
    }
    return logits;
  } finally {
    await session.release();
  }
}

type Cache = Readonly<Record<string, Tensor>>;

function emptyCache({ values }: Graph): Cache {
  const inputs = values.filter(({ op, shape }) => op === 'input' && shape.length === 4);
  return Object.fromEntries(
    inputs.map(({ name, shape: [, heads, , headDim] }) => [
      name,
      { data: new Float32Array(0), shape: [1, Number(heads), 0, Number(headDim)] },
    ]),
  );
}

function grownCache({ layers }: DecoderConfig, outputs: Cache): Cache {
  return Object.fromEntries(
    layers.flatMap((_, layer) => [
      [names.pastKey(layer), outputs[names.presentKey(layer)]!],
      [names.pastValue(layer), outputs[names.presentValue(layer)]!],
    ]),
  );
}
