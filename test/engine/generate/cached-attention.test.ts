import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { DecoderConfig } from '../../../engine/architectures/decoder-config.ts';
import { generationGraph } from '../../../engine/generate/generation-graph.ts';
import { Sequence } from '../../../engine/generate/sequence.ts';
import { Session } from '../../../engine/runtime/session.ts';
import { goldenPath, goldenTensors, relativeError } from '../../support/golden.ts';
import { type GoldenModel, goldenModel, range } from './golden-model.ts';

/** How a text is read. */
interface Reading {
  /** Of runs that come round. */
  readonly sizes: readonly number[];
  readonly hasAttention: boolean;
  /** What the cache is made for, where that is not the model's own. */
  readonly cached?: DecoderConfig;
}

/** The logits of all tokens. */
async function read(
  model: GoldenModel,
  ids: readonly number[],
  { sizes, hasAttention, cached = model.config }: Reading,
): Promise<number[]> {
  const session = await Session.create(generationGraph(model, [], undefined, hasAttention), {
    threads: 1,
    weightsFolder: model.weights.files().folder,
  });
  const sequence = new Sequence(cached, {
    areFixedFor: () => false,
    forTokens: async () => session,
  });
  const logits: number[] = [];
  try {
    for (let at = 0, run = 0; at < ids.length; run++) {
      const piece = ids.slice(at, at + sizes[run % sizes.length]!);
      logits.push(...(await sequence.append(piece, range(piece.length), ids.length)));
      at += piece.length;
    }
  } finally {
    sequence.release();
    await session.release();
  }
  return logits;
}

test.each(readdirSync(goldenPath('models')))(
  '%s reads a text in pieces as at once, with attention whole or in parts',
  async (name) => {
    const model = await goldenModel(name);
    const golden = await goldenTensors('models', name, 'golden.safetensors');
    const ids = Array.from(golden.get('greedy')!.data, Number);
    const atOnce = await read(model, ids, { sizes: [ids.length], hasAttention: false });
    for (const hasAttention of [true, false]) {
      const inPieces = await read(model, ids, { sizes: [4, 1], hasAttention });
      expect(relativeError(inPieces, atOnce)).toBeLessThan(1e-4);
    }
  },
);

test.each([true, false])(
  'slots that are a ring hold what a window sees, with attention whole: %s',
  async (hasAttention) => {
    const { config, weights } = await goldenModel('mistral-window');
    const model = { weights, config: { ...config, maxPositionEmbeddings: 1024 } };
    const layers = config.layers.map((layer) => ({
      ...layer,
      attention: { ...layer.attention, slidingWindow: null },
    }));
    const ids = range(400).map((i) => (i * 7 + 3) % config.vocabSize);
    const reading = { sizes: [100, 1, 128], hasAttention };
    const inRing = await read(model, ids, reading);
    const inAll = await read(model, ids, { ...reading, cached: { ...model.config, layers } });
    expect(relativeError(inRing, inAll)).toBeLessThan(1e-4);
  },
);
