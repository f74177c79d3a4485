import { z } from 'zod';
import { LorafaError } from '../errors.ts';
import type { JsonObject } from '../json-file.ts';
import { quote } from '../quote.ts';
import { type ConfigFailure, checkKeys } from './check-keys.ts';
import type { DecoderConfig, DecoderParts } from './decoder-config.ts';
import { FAMILIES } from './families.ts';
import type { Family } from './family.ts';

/** The architectures that can be fine-tuned, as `config.json` names them. */
export const KNOWN_ARCHITECTURES: readonly string[] = FAMILIES.map(({ className }) => className);

const nameSchema = z.object({
  architectures: z.array(z.string()).nullish(),
  model_type: z.string().nullish(),
});

/**
 * Reads a Hugging Face `config.json`, in the style of transformers 4 (`rope_theta`, `rope_scaling`)
 * or 5 (`rope_parameters`). Keys that are missing get transformers' default values.
 *
 * @param file Where the JSON came from, for messages.
 * @throws LorafaError `model.unsupported` for an architecture or option that would be computed
 * wrongly, by name; `model.corrupt` for values that make no sense.
 */
export function parseDecoderConfig(json: unknown, file: string): DecoderConfig {
  const fail: ConfigFailure = (code, cause) =>
    new LorafaError(code, `${file}: ${cause}.`, { location: { file } });
  const family = findFamily(checkKeys(nameSchema, json, fail), fail);
  const { keys, parts } = family.read(json as object, fail);
  if (keys.quantization_config != null) {
    const method = quote(keys.quantization_config['quant_method'] ?? 'unknown');
    throw fail(
      'model.unsupported',
      `weights quantized with quantization_config ${method} cannot be read; use the unquantized model or a GGUF file`,
    );
  }
  return {
    ...parts,
    family: family.modelType,
    storedNames: family.storedNames ?? [],
    isPart: family.isPart ?? false,
    vocabSize: keys.vocab_size,
    maxPositionEmbeddings: Math.floor(keys.max_position_embeddings * dynamicFactor(parts)),
    bosTokenId: keys.bos_token_id ?? null,
    eosTokenIds: [keys.eos_token_id ?? []].flat(),
    // Some configs write -1 for "none".
    padTokenId: keys.pad_token_id == null || keys.pad_token_id < 0 ? null : keys.pad_token_id,
  };
}

/** The `config.json` of the text alone, of a model that has other parts; that of any other model as it is. */
export function textConfig(
  { family }: Pick<DecoderConfig, 'family'>,
  json: JsonObject,
): JsonObject {
  return FAMILIES.find(({ modelType }) => modelType === family)?.aloneConfig?.(json) ?? json;
}

/** How many times as far a model reads whose angles grow with the text; else 1. */
function dynamicFactor({ layers }: DecoderParts): number {
  const scaling = layers[0]!.attention.rotary?.scaling;
  return scaling?.type === 'dynamic' ? scaling.factor : 1;
}

function findFamily(
  { architectures, model_type: modelType }: z.infer<typeof nameSchema>,
  fail: ConfigFailure,
): Family {
  const name = architectures?.[0] ?? modelType;
  const family = FAMILIES.find((each) => name === each.className || name === each.modelType);
  if (family !== undefined) return family;
  const what =
    name == null ? 'no architecture is named' : `the architecture "${name}" is not known`;
  throw fail('model.unsupported', `${what}; known are ${KNOWN_ARCHITECTURES.join(', ')}`);
}
