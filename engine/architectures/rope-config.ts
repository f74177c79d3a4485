import { z } from 'zod';
import { quote } from '../quote.ts';
import { SIZED } from '../sized.ts';
import { type ConfigFailure, checkKeys } from './check-keys.ts';
import type { CommonKeys } from './config-keys.ts';
import { CONFIG_LIMITS, count, magnitude } from './config-limits.ts';
import type { GrowingQueries, LayerType, RopeScaling, Rotary } from './decoder-config.ts';

const factor = magnitude('ropeFactor');
const factors = z.array(factor).max(CONFIG_LIMITS.headWidth, SIZED);

const SCHEMAS = {
  linear: z.object({ factor }),
  dynamic: z.object({ factor }),
  llama3: z.object({
    factor,
    low_freq_factor: factor,
    high_freq_factor: factor,
    original_max_position_embeddings: count('positions').optional(),
  }),
  yarn: z.object({
    factor: factor.nullish(),
    attention_factor: factor.nullish(),
    beta_fast: factor.nullish(),
    beta_slow: factor.nullish(),
    mscale: z.number().nullish(),
    mscale_all_dim: z.number().nullish(),
    truncate: z.boolean().default(true),
    original_max_position_embeddings: count('positions').nullish(),
  }),
  longrope: z.object({
    factor: factor.nullish(),
    attention_factor: factor.nullish(),
    short_factor: factors,
    long_factor: factors,
    original_max_position_embeddings: count('positions').nullish(),
  }),
};

/** What a family says of its rotary embedding beside what is in the keys. */
export interface RotaryKeys {
  readonly headDim: number;
  /** Where `rope_parameters` differ from layer to layer: those of which layers. */
  readonly layerType?: LayerType;
  /** Has the base for these layers alone, and no scaling (Gemma 3's `rope_local_base_freq`). */
  readonly localTheta?: number;
  /** The base, where the family has a key of its own for it. */
  readonly theta?: number;
  /** The part of each head that is turned, unless the file says so; unless given, always all of it. */
  readonly partialFactor?: number;
  readonly interleaved?: boolean;
  /** Whether queries grow with their positions, as `llama_4_scaling_beta` says. */
  readonly growingQueries?: boolean;
}

/**
 * The rotary position embedding, from `rope_theta` + `rope_scaling` (transformers 4) or
 * `rope_parameters` (transformers 5; transformers `modeling_rope_utils.py`).
 *
 * @throws LorafaError `model.unsupported` for a rope type that is not known, `model.corrupt` for
 * values that make no sense.
 */
export function parseRotary(keys: CommonKeys, wanted: RotaryKeys, fail: ConfigFailure): Rotary {
  const { headDim, layerType, localTheta, partialFactor, interleaved = false } = wanted;
  const key = keys.rope_scaling != null ? 'rope_scaling' : 'rope_parameters';
  const all = keys[key] ?? {};
  const differs = isObject(all['full_attention']) || isObject(all['sliding_attention']);
  const own = layerType === undefined ? undefined : all[layerType];
  if (differs && !isObject(own)) {
    throw fail('model.unsupported', `${key} that differ from layer to layer are not known`);
  }
  // Without parameters of their own, local layers have a base and nothing else.
  const parameters = isObject(own) ? own : localTheta === undefined ? all : {};
  const plainTheta = localTheta ?? wanted.theta ?? keys.rope_theta;
  const theta = magnitude('ropeTheta').safeParse(parameters['rope_theta'] ?? plainTheta);
  if (!theta.success) {
    throw fail(
      'model.corrupt',
      `"rope_theta" must be a positive number, at most ${CONFIG_LIMITS.ropeTheta}`,
    );
  }
  const part =
    parameters['partial_rotary_factor'] ?? keys.partial_rotary_factor ?? partialFactor ?? 1;
  if (part !== 1 && partialFactor === undefined) {
    throw fail('model.unsupported', `partial_rotary_factor ${quote(part)} is not known`);
  }
  const dims = typeof part === 'number' ? Math.trunc(headDim * part) : Number.NaN;
  if (!(dims >= 2 && dims <= headDim && dims % 2 === 0)) {
    throw fail(
      'model.corrupt',
      `partial_rotary_factor ${quote(part)} of heads ${headDim} wide is not an even number of features`,
    );
  }
  const rotary = { dims, theta: theta.data, interleaved };
  return {
    ...rotary,
    scaling: parseScaling(keys, parameters, key, dims, fail),
    growingQueries: wanted.growingQueries ? parseGrowth(keys, parameters, key, fail) : null,
  };
}

const GROWTH = z.object({
  llama_4_scaling_beta: z.number(),
  original_max_position_embeddings: count('positions').nullish(),
});

function parseGrowth(
  keys: CommonKeys,
  parameters: Readonly<Record<string, unknown>>,
  key: string,
  fail: ConfigFailure,
): GrowingQueries | null {
  const { [key]: growth } = checkKeys(z.object({ [key]: GROWTH }), { [key]: parameters }, fail);
  const { llama_4_scaling_beta: beta, original_max_position_embeddings: every } = growth!;
  return beta === 0 ? null : { beta, every: every ?? keys.max_position_embeddings };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parseScaling(
  keys: CommonKeys,
  parameters: Readonly<Record<string, unknown>>,
  key: string,
  dims: number,
  fail: ConfigFailure,
): RopeScaling | null {
  const check = <T>(schema: z.ZodType<T>): T =>
    checkKeys(z.object({ [key]: schema }), { [key]: parameters }, fail)[key] as T;
  const positions = keys.max_position_embeddings;
  const originalPositions = (given: number | null | undefined): number =>
    given ?? keys.original_max_position_embeddings ?? positions;
  const type = parameters['rope_type'] ?? parameters['type'] ?? 'default';
  switch (type) {
    case 'default':
      return null;
    case 'linear':
      return { type: 'linear', ...check(SCHEMAS.linear) };
    case 'dynamic':
      if (dims === 2) {
        throw fail('model.corrupt', `${key} cannot stretch a single pair of features (dynamic)`);
      }
      // As in transformers, which does not ask for "original_max_position_embeddings" here.
      return {
        type: 'dynamic',
        ...check(SCHEMAS.dynamic),
        originalMaxPositionEmbeddings: positions,
      };
    case 'llama3': {
      const scaling = check(SCHEMAS.llama3);
      return {
        type: 'llama3',
        factor: scaling.factor,
        lowFreqFactor: scaling.low_freq_factor,
        highFreqFactor: scaling.high_freq_factor,
        originalMaxPositionEmbeddings: originalPositions(scaling.original_max_position_embeddings),
      };
    }
    case 'yarn': {
      const scaling = check(SCHEMAS.yarn);
      const original = originalPositions(scaling.original_max_position_embeddings);
      const stretch = scaling.factor ?? positions / original;
      const { mscale, mscale_all_dim: mscaleAll } = scaling;
      const usual =
        mscale && mscaleAll
          ? yarnMagnitude(stretch, mscale) / yarnMagnitude(stretch, mscaleAll)
          : yarnMagnitude(stretch, 1);
      return {
        type: 'yarn',
        factor: stretch,
        betaFast: scaling.beta_fast ?? 32,
        betaSlow: scaling.beta_slow ?? 1,
        originalMaxPositionEmbeddings: original,
        truncate: scaling.truncate,
        attentionFactor: scaling.attention_factor ?? usual,
      };
    }
    // Phi 3's first files call it "su".
    case 'su':
    case 'longrope': {
      const scaling = check(SCHEMAS.longrope);
      const { short_factor: shortFactors, long_factor: longFactors } = scaling;
      for (const [name, list] of Object.entries({
        short_factor: shortFactors,
        long_factor: longFactors,
      })) {
        if (list.length === dims / 2) continue;
        throw fail(
          'model.corrupt',
          `"${key}.${name}" has ${list.length} numbers where ${dims / 2} pairs of features are turned`,
        );
      }
      const original = originalPositions(scaling.original_max_position_embeddings);
      const stretch = scaling.factor ?? positions / original;
      const usual = stretch <= 1 ? 1 : Math.sqrt(1 + Math.log(stretch) / Math.log(original));
      return {
        type: 'longrope',
        shortFactors,
        longFactors,
        originalMaxPositionEmbeddings: original,
        attentionFactor: scaling.attention_factor ?? usual,
      };
    }
    default:
      throw fail(
        'model.unsupported',
        `the rotary embedding type ${quote(type)} in ${key} is not known; known are default, ${Object.keys(SCHEMAS).join(', ')}`,
      );
  }
}

/** By how much attention is sharper with positions stretched so far (arXiv 2309.00071, section 3.4). */
function yarnMagnitude(stretch: number, weight: number): number {
  return stretch <= 1 ? 1 : 0.1 * weight * Math.log(stretch) + 1;
}
