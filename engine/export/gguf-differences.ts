import type { DecoderConfig, LayerPart, MlpPart, Rotary } from '../architectures/decoder-config.ts';
import { inverseFrequencies } from '../architectures/rotary-embedding.ts';

/** What is no part of what a decoder computes, or is told apart by the tokenizer. */
const UNSAID = new Set([
  'family',
  'isPart',
  'storedNames',
  'bosTokenId',
  'eosTokenIds',
  'padTokenId',
]);

/** What modules are called, which of a text part is not what it is called alone. */
const NAMES = new Set(['name', 'layersName', 'outputName']);

/**
 * Where a model that is read from a GGUF file differs from the one that was written into it: what the
 * format has no place for, of which llama.cpp knows nothing.
 *
 * @returns sentences for people
 */
export function ggufDifferences(meant: DecoderConfig, read: DecoderConfig): readonly string[] {
  const differences = [...leaves(meant, read, '')];
  const kinds = new Map<string, (typeof differences)[number] & { count: number }>();
  for (const difference of differences) {
    const kind = difference.at.replace(/\d+/g, 'N');
    kinds.set(kind, { ...difference, count: (kinds.get(kind)?.count ?? 0) + 1 });
  }
  return [...kinds.values()].map(
    ({ at, meant: one, read: other, count }) =>
      `A GGUF file has no place for ${at} of this model (${one}, read as ${other}${count > 1 ? `, in ${count} places` : ''}): llama.cpp computes there as it does by default.`,
  );
}

interface Difference {
  readonly at: string;
  readonly meant: string;
  readonly read: string;
}

/** Numbers are float32 in metadata, and some are computed again from those. */
function isNear(one: unknown, other: unknown): boolean {
  if (typeof one !== 'number' || typeof other !== 'number') return Object.is(one, other);
  return Math.abs(one - other) <= 1e-5 * Math.max(Math.abs(one), Math.abs(other));
}

/** A rotary embedding by what it does: the same angles can be told in several ways. */
function angles(rotary: Rotary): object {
  const { interleaved, scaling, growingQueries } = rotary;
  const sharpness = scaling !== null && 'attentionFactor' in scaling ? scaling.attentionFactor : 1;
  return {
    interleaved,
    frequencies: inverseFrequencies(rotary),
    longFrequencies: inverseFrequencies(rotary, Number.MAX_SAFE_INTEGER),
    sharpness,
    growingQueries,
  };
}

/** Gate and up are the same in one layer and in two. */
function gatesApart(mlp: MlpPart): object {
  if (mlp.kind !== 'fused-gated') return mlp;
  const { gateUp, down, activation } = mlp;
  const half = { ...gateUp, outFeatures: gateUp.outFeatures / 2 };
  return { kind: 'gated', activation, gate: half, up: half, down };
}

/** Parts that can be told in several ways, by what they do. */
const SEEN: Readonly<Record<string, (part: never) => unknown>> = {
  rotary: (rotary: Rotary | null) => rotary && angles(rotary),
  mlp: (mlp: LayerPart['mlp']) => (mlp.kind === 'experts' ? mlp : gatesApart(mlp)),
};

function* leaves(meant: unknown, read: unknown, at: string): Generator<Difference> {
  if (isObject(meant) && isObject(read)) {
    for (const key of new Set([...Object.keys(meant), ...Object.keys(read)])) {
      if ((at === '' && UNSAID.has(key)) || NAMES.has(key)) continue;
      const seen = SEEN[key] ?? ((part: unknown) => part);
      const [one, other] = [meant[key] as never, read[key] as never].map(seen);
      yield* leaves(one, other, at === '' ? key : `${at}.${key}`);
    }
    return;
  }
  if (isNear(meant ?? null, read ?? null)) return;
  yield { at, meant: JSON.stringify(meant ?? null), read: JSON.stringify(read ?? null) };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
