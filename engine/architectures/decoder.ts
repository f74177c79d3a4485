import type { Value } from '../graph/value.ts';
import type { AttentionPart, DecoderConfig, EmbeddingPart, LayerPart } from './decoder-config.ts';
import { type DecoderGraph, type Embed, norm } from './decoder-graph.ts';
import { feedForward } from './feed-forward.ts';
import { type RotaryAngles, rotaryAngles } from './rotary-embedding.ts';
import { selfAttention } from './self-attention.ts';
import { softCap } from './soft-cap.ts';

/**
 * The hidden states of a decoder after its final norm, as its parts declare it. Values are named
 * after the modules of the Hugging Face model.
 *
 * @param tokenIds int64 `[tokens]`
 * @param positions int64 `[tokens]`
 * @returns float32 `[tokens, hiddenSize]`
 */
export function decoderHiddenStates(graph: DecoderGraph, tokenIds: Value, positions: Value): Value {
  const { builder, config } = graph;
  const { embedding, embeddingScale, positionEmbedding } = config;
  const { embed = storedRows(graph) } = graph;
  const rowsOf = ({ name }: EmbeddingPart, of: Value): Value =>
    embed(`${name}.weight`, of, config.hiddenSize);
  let hidden = builder.scope(embedding.name, () => {
    const embedded = rowsOf(embedding, tokenIds);
    return embeddingScale === 1 ? embedded : builder.mul(embedded, builder.scalar(embeddingScale));
  });
  if (positionEmbedding !== null) {
    const placed = hidden;
    hidden = builder.scope(positionEmbedding.name, () =>
      builder.add(placed, rowsOf(positionEmbedding, positions)),
    );
  }
  const anglesOf = allAngles(graph, positions);
  for (const [index, layer] of config.layers.entries()) {
    const before = hidden;
    const decoderLayer = (): Value =>
      layerOutput(graph, index, layer, before, anglesOf(layer.attention));
    hidden = builder.scope(layer.name, () =>
      graph.recompute === 'layer' ? builder.recomputed(decoderLayer) : decoderLayer(),
    );
  }
  return norm(graph, config.norm, hidden);
}

/** Rows of tables that are stored as numbers. */
export function storedRows({
  builder,
  parameters,
}: Pick<DecoderGraph, 'builder' | 'parameters'>): Embed {
  return (table, indices) =>
    builder.cast(builder.gather(parameters.stored(table), indices), 'float32');
}

function layerOutput(
  graph: DecoderGraph,
  index: number,
  layer: LayerPart,
  hidden: Value,
  angles: RotaryAngles | null,
): Value {
  const { builder } = graph;
  const { attention, mlp, norms, parallel, residualScale } = layer;
  const add = (to: Value, x: Value): Value =>
    builder.add(to, residualScale === 1 ? x : builder.mul(x, builder.scalar(residualScale)));
  const normed = norm(graph, norms.beforeAttention, hidden);
  const attended = add(
    hidden,
    norm(graph, norms.afterAttention, selfAttention(graph, index, attention, normed, angles)),
  );
  const mlpInput =
    parallel && norms.beforeMlp === null
      ? normed
      : norm(graph, norms.beforeMlp, parallel ? hidden : attended);
  return add(attended, norm(graph, norms.afterMlp, feedForward(graph, mlp, mlpInput)));
}

/** The angles of every layer, made once for all that share a rotary embedding. */
function allAngles(
  { builder, config, textLength }: DecoderGraph,
  positions: Value,
): (part: AttentionPart) => RotaryAngles | null {
  const made: { readonly part: AttentionPart; readonly angles: RotaryAngles }[] = [];
  const find = ({ rotary, scale }: AttentionPart): RotaryAngles | undefined =>
    made.find(({ part }) => part.rotary === rotary && part.scale === scale)?.angles;
  builder.scope('model.rotary_emb', () => {
    for (const { attention: part } of config.layers) {
      if (part.rotary === null || find(part) !== undefined) continue;
      const { rotary, scale } = part;
      const angles = rotaryAngles(builder, rotary, { positions, textLength }, scale);
      made.push({ part, angles });
    }
  });
  return (part) => find(part) ?? null;
}

/** The tensor that turns hidden states into logits, `[vocabSize, hiddenSize]`. */
export function outputEmbeddingName({ head }: DecoderConfig): string {
  return `${head.embedding.name}.weight`;
}

/** Logits from products with the output embedding, as the head scales and caps them. */
export function finishLogits(
  { builder, config }: Pick<DecoderGraph, 'builder' | 'config'>,
  products: Value,
): Value {
  const { scale, softCap: cap } = config.head;
  const scaled = scale === 1 ? products : builder.mul(products, builder.scalar(scale));
  return softCap(builder, scaled, cap);
}
