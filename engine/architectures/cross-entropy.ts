import { pullback } from '../graph/autodiff.ts';
import type { GraphBuilder } from '../graph/builder.ts';
import type { Value } from '../graph/value.ts';
import { finishLogits } from './decoder.ts';
import type { DecoderGraph } from './decoder-graph.ts';
import type { OutputLayer } from './output-layer.ts';

/** What a loss is built from. */
export interface LossParts extends Pick<DecoderGraph, 'builder' | 'config'> {
  readonly output: OutputLayer;
}

/** The tokens whose loss counts. */
export interface LossTokens {
  /** int64 `[n]`: their rows among the hidden states */
  readonly rows: Value;
  /** int64 `[n]`: the tokens that should follow them */
  readonly targets: Value;
  /** float32 `[n]`: what each counts, 0 for one that only fills the last chunk */
  readonly weights: Value;
}

/** A loss and what it does to the hidden states and the output embedding. */
export interface LossAndGradients {
  /** float32 `[]`: `Σ weight · −log softmax(h Eᵀ)[target]` */
  readonly loss: Value;
  /** d loss / d hidden, of the hidden states' shape */
  readonly hiddenGradient: Value;
  /** d loss / d E where it was asked for */
  readonly embeddingGradient: Value | undefined;
}

/**
 * Tokens per chunk. The logits of one chunk are alive at a time: at 49,152 tokens of vocabulary
 * 128 rows are 25 MB.
 */
export const LOSS_CHUNK = 128;

/** The weighted sum of the tokens' next-token losses, float32 `[]`, without gradients. */
export function crossEntropy(parts: LossParts, hidden: Value, tokens: LossTokens): Value {
  return parts.builder.scope('loss', () =>
    chunks(tokens)
      .map((chunk) => chunkLoss(parts, chunkOf(parts, hidden, tokens, chunk)))
      .reduce((sum, loss) => parts.builder.add(sum, loss)),
  );
}

/**
 * Cross-entropy with its gradients, chunk by chunk: forward and backward of a chunk follow each
 * other, so that the `[tokens, vocabulary]` logits are never whole, and only tokens that count
 * enter them.
 */
export function crossEntropyWithGradients(
  parts: LossParts,
  hidden: Value,
  tokens: LossTokens,
  embeddingIsTrained: boolean,
): LossAndGradients {
  const { builder, output } = parts;
  return builder.scope('loss', () => {
    const { embedding } = output;
    const one = builder.scalar(1);
    let previous: Value | undefined;
    const done = chunks(tokens).map((range) => {
      const chunk = after(builder, previous, chunkOf(parts, hidden, tokens, range));
      const loss = chunkLoss(parts, chunk);
      const wrt = embeddingIsTrained ? [chunk.hidden, embedding] : [chunk.hidden];
      const gradients = pullback(builder, loss, one, wrt);
      previous = gradients.get(chunk.hidden)!;
      return { loss, chunk, gradients };
    });
    const add = (a: Value, b: Value): Value => builder.add(a, b);
    const rowGradients = builder.concat(
      done.map(({ chunk, gradients }) => gradients.get(chunk.hidden)!),
      0,
    );
    return {
      loss: done.map(({ loss }) => loss).reduce(add),
      hiddenGradient: builder.scatterAdd(tokens.rows, rowGradients, hidden.shape[0]!),
      embeddingGradient: embeddingIsTrained
        ? done.map(({ gradients }) => gradients.get(embedding)!).reduce(add)
        : undefined,
    };
  });
}

type Range = readonly [start: number, end: number];

function chunks({ rows }: LossTokens): Range[] {
  const count = Number(rows.shape[0]);
  return Array.from({ length: Math.ceil(count / LOSS_CHUNK) }, (_, i) => [
    i * LOSS_CHUNK,
    Math.min(count, (i + 1) * LOSS_CHUNK),
  ]);
}

interface Chunk {
  /** `[chunk, hiddenSize]` */
  readonly hidden: Value;
  readonly targets: Value;
  readonly weights: Value;
}

function chunkOf({ builder }: LossParts, hidden: Value, tokens: LossTokens, range: Range): Chunk {
  const part = (x: Value): Value => builder.slice(x, 0, ...range);
  return {
    hidden: builder.gather(hidden, part(tokens.rows)),
    targets: part(tokens.targets),
    weights: part(tokens.weights),
  };
}

/**
 * A chunk that waits for the gradient of the one before it: left to itself, ONNX Runtime makes the
 * logits of all chunks before it takes the first gradient, and all of them are alive at once.
 */
function after(builder: GraphBuilder, gradient: Value | undefined, chunk: Chunk): Chunk {
  if (gradient === undefined) return chunk;
  const corner = builder.slice(builder.slice(gradient, 0, 0, 1), 1, 0, 1);
  const nothing = builder.mul(corner, builder.scalar(0));
  return { ...chunk, hidden: builder.add(chunk.hidden, nothing) };
}

/**
 * The target's logit is `h · E[target]`, so that its gradient is a gathered row of E and neither a
 * one-hot matrix nor a scatter into the vocabulary is made.
 */
function chunkLoss(parts: LossParts, { hidden, targets, weights }: Chunk): Value {
  const { builder, output } = parts;
  const input = output.input(hidden);
  const logSumExp = builder.logSumExp(finishLogits(parts, output.products(input)));
  const targetRows = builder.cast(builder.gather(output.embedding, targets), 'float32');
  const targetProducts = builder.reduceSum(builder.mul(input, targetRows), [1]);
  const targetLogits = finishLogits(parts, targetProducts);
  const losses = builder.sub(logSumExp, targetLogits);
  const weighted = builder.mul(losses, builder.reshape(weights, [weights.shape[0]!, 1]));
  return builder.reshape(builder.reduceSum(weighted, [0, 1]), []);
}
