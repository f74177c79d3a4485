import type { Value } from '../graph/value.ts';
import type { AttentionPart, NormPart, Rotary } from './decoder-config.ts';
import { cheap, type DecoderGraph, norm } from './decoder-graph.ts';
import type { RotaryAngles, Rotation } from './rotary-embedding.ts';

/** Self-attention of one layer, `[tokens, hiddenSize] → [tokens, hiddenSize]`. */
export function selfAttention(
  graph: DecoderGraph,
  layer: number,
  part: AttentionPart,
  x: Value,
  angles: RotaryAngles | null,
): Value {
  const { builder, linear, attention } = graph;
  return builder.withScope(part.name, () => {
    const { query, key, value } = headsOf(graph, part, x);
    const turnedQuery = turn(graph, part.rotary, query, angles?.query, part.scale);
    const turnedKey = turn(graph, part.rotary, key, angles?.key, 1);
    const attended = cheap(graph, () =>
      attention({ layer, part, query: turnedQuery, key: turnedKey, value }),
    );
    return linear(part.output.name, attended);
  });
}

interface Heads {
  /** `[tokens, numHeads, headDim]` */
  readonly query: Value;
  /** `[tokens, numKeyValueHeads, headDim]` */
  readonly key: Value;
  readonly value: Value;
}

function headsOf(graph: DecoderGraph, part: AttentionPart, x: Value): Heads {
  const { numHeads, numKeyValueHeads, headDim } = part;
  const { builder } = graph;
  const [queries, keys, values] = projected(graph, part, x);
  const split = (flat: Value, count: number, headNorm: NormPart | null): Value => {
    const isWide = headNorm !== null && headNorm.size !== headDim;
    const all = isWide ? norm(graph, headNorm, flat) : flat;
    return builder.reshape(all, [x.shape[0]!, count, headDim]);
  };
  const perHead = (heads: Value, headNorm: NormPart | null): Value =>
    headNorm?.size === headDim ? norm(graph, headNorm, heads) : heads;
  const query = split(queries(), numHeads, part.queryNorm);
  const key = split(keys(), numKeyValueHeads, part.keyNorm);
  const value = split(values(), numKeyValueHeads, null);
  return { query: perHead(query, part.queryNorm), key: perHead(key, part.keyNorm), value };
}

type Lazy = () => Value;

/** Queries, keys and values, their heads side by side in one row for each token. */
function projected(graph: DecoderGraph, part: AttentionPart, x: Value): [Lazy, Lazy, Lazy] {
  const { builder, linear } = graph;
  const { numHeads, numKeyValueHeads, headDim, projections } = part;
  if (!('fused' in projections)) {
    const { query, key, value } = projections;
    return [() => linear(query.name, x), () => linear(key.name, x), () => linear(value.name, x)];
  }
  const joined = linear(projections.fused.name, x);
  if (projections.order === 'by-head') {
    const byHead = builder.reshape(joined, [x.shape[0]!, numHeads, 3 * headDim]);
    const third = (i: number) => () => builder.slice(byHead, 2, i * headDim, (i + 1) * headDim);
    return [third(0), third(1), third(2)];
  }
  const queryWidth = numHeads * headDim;
  const keyWidth = numKeyValueHeads * headDim;
  const columns = (from: number, width: number) => () =>
    builder.slice(joined, 1, from, from + width);
  return [
    columns(0, queryWidth),
    columns(queryWidth, keyWidth),
    columns(queryWidth + keyWidth, keyWidth),
  ];
}

/**
 * Heads with their positions turned in, times `scale`. Where neighbouring features are a pair, they
 * are laid half a head apart first. Queries and keys are reordered alike, which no score sees, so
 * they stay so.
 */
function turn(
  { builder }: DecoderGraph,
  rotary: Rotary | null,
  heads: Value,
  rotation: Rotation | undefined,
  scale: number,
): Value {
  const scaled = (x: Value): Value => (scale === 1 ? x : builder.mul(x, builder.scalar(scale)));
  if (rotary === null || rotation === undefined) return scaled(heads);
  const [tokens, count, headDim] = heads.shape as [Value['shape'][0], number, number];
  const { dims, interleaved } = rotary;
  const turned = builder.slice(heads, 2, 0, dims);
  const pairs = (x: Value): Value =>
    builder.reshape(
      builder.transpose(builder.reshape(x, [tokens!, count, dims / 2, 2]), [0, 1, 3, 2]),
      [tokens!, count, dims],
    );
  const rotated = builder.rotary(interleaved ? pairs(turned) : turned, rotation.cos, rotation.sin);
  if (dims === headDim) return rotated;
  return builder.concat([rotated, scaled(builder.slice(heads, 2, dims, headDim))], 2);
}
