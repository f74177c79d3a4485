import { z } from 'zod';
import { quote } from '../quote.ts';
import { CONFIG_LIMITS, count, magnitude } from './config-limits.ts';
import type { DecoderConfig, RopeScaling } from './decoder-config.ts';
import type { ConfigFailure, HuggingFaceConfig } from './hugging-face-config.ts';

const DEFAULT_THETA = 10_000;
const factor = magnitude('ropeFactor');

const llama3Schema = z.object({
  factor,
  low_freq_factor: factor,
  high_freq_factor: factor,
  original_max_position_embeddings: count('positions').optional(),
});
const linearSchema = z.object({ factor });

/**
 * Base and scaling of the rotary position embedding, from `rope_theta` + `rope_scaling`
 * (transformers 4) or `rope_parameters` (transformers 5).
 *
 * @throws LorafaError `model.unsupported` for a rope type that is not known, `model.corrupt` for
 * values that make no sense.
 */
export function parseRope(
  config: HuggingFaceConfig,
  maxPositionEmbeddings: number,
  fail: ConfigFailure,
): Pick<DecoderConfig, 'ropeTheta' | 'ropeScaling'> {
  const key = config.rope_scaling != null ? 'rope_scaling' : 'rope_parameters';
  const parameters = config[key] ?? {};
  const rotatedPart = parameters['partial_rotary_factor'] ?? config.partial_rotary_factor ?? 1;
  if (rotatedPart !== 1) {
    throw fail('model.unsupported', `partial_rotary_factor ${quote(rotatedPart)} is not known`);
  }
  const theta = magnitude('ropeTheta').safeParse(
    parameters['rope_theta'] ?? config.rope_theta ?? DEFAULT_THETA,
  );
  if (!theta.success) {
    throw fail(
      'model.corrupt',
      `"rope_theta" must be a positive number, at most ${CONFIG_LIMITS.ropeTheta}`,
    );
  }
  const check = <T>(schema: z.ZodType<T>): T => {
    const parsed = schema.safeParse(parameters);
    if (parsed.success) return parsed.data;
    const [issue] = parsed.error.issues;
    const field = [key, ...(issue?.path ?? [])].join('.');
    throw fail('model.corrupt', `"${field}" is wrong (${issue?.message ?? 'no reason given'})`);
  };
  return { ropeTheta: theta.data, ropeScaling: parseScaling() };

  function parseScaling(): RopeScaling | null {
    const type = parameters['rope_type'] ?? parameters['type'] ?? 'default';
    switch (type) {
      case 'default':
        if (Object.values(parameters).some((value) => typeof value === 'object')) {
          throw fail('model.unsupported', `${key} that differ from layer to layer are not known`);
        }
        return null;
      case 'linear':
        return { type: 'linear', ...check(linearSchema) };
      case 'llama3': {
        const scaling = check(llama3Schema);
        return {
          type: 'llama3',
          factor: scaling.factor,
          lowFreqFactor: scaling.low_freq_factor,
          highFreqFactor: scaling.high_freq_factor,
          originalMaxPositionEmbeddings:
            scaling.original_max_position_embeddings ?? maxPositionEmbeddings,
        };
      }
      default:
        throw fail(
          'model.unsupported',
          `the rotary embedding type ${quote(type)} in ${key} is not known; known are default, linear, llama3`,
        );
    }
  }
}
