import { z } from 'zod';
import type { JsonObject } from '../json-file.ts';
import { quote } from '../quote.ts';
import { checkKeys } from './check-keys.ts';
import { COMMON_KEYS } from './config-keys.ts';
import type { StoredNames } from './decoder-config.ts';
import type { Family } from './family.ts';
import type { ModuleNames } from './module-names.ts';

/** Module names of the text part in the models of transformers that read images as well. */
const NAMES: ModuleNames = {
  embedding: 'model.language_model.embed_tokens',
  layers: 'model.language_model.layers',
  norm: 'model.language_model.norm',
  head: 'lm_head',
};

/** In files they are called as transformers 4 called them (transformers `conversion_mapping.py`, "llava"). */
const STORED_NAMES: StoredNames = [
  ['language_model.lm_head.', 'lm_head.'],
  ['language_model.model.', 'model.language_model.'],
];

/**
 * Keys of the whole model that are meant for its text as well. Published files have end tokens here alone;
 * whether embeddings are tied is said here, or in `text_config`.
 */
const { bos_token_id, eos_token_id, pad_token_id, quantization_config } = COMMON_KEYS;
const WHOLE = z.object({
  ...{ bos_token_id, eos_token_id, pad_token_id, quantization_config },
  tie_word_embeddings: z.boolean().optional(),
  text_config: z.record(z.string(), z.unknown()),
});

/** What is said of all of the model and holds for its text. */
const OF_BOTH: ReadonlySet<string> = new Set([
  ...['bos_token_id', 'eos_token_id', 'pad_token_id'],
  ...['dtype', 'torch_dtype', 'transformers_version'],
]);

interface TextPartDeclaration extends Pick<Family, 'className' | 'modelType' | 'models' | 'gguf'> {
  /** What its text may be, by `model_type`; the first unless that is left out. */
  readonly texts: readonly [Family, ...Family[]];
}

/**
 * The text part of a model that reads images as well: a decoder of another family under names of its own,
 * so that PEFT loads its adapters into the whole model.
 */
export function textPart({ texts, ...names }: TextPartDeclaration): Family {
  const typeOf = (text: Readonly<Record<string, unknown>>): unknown =>
    text['model_type'] ?? texts[0].modelType;
  const familyOf = (type: unknown): Family | undefined =>
    texts.find(({ modelType }) => modelType === type);
  return {
    ...names,
    storedNames: STORED_NAMES,
    isPart: true,
    aloneConfig(json) {
      const text = json['text_config'] as JsonObject;
      const { className, modelType } = familyOf(typeOf(text))!;
      const whole = Object.entries(json).filter(([key]) => OF_BOTH.has(key));
      const { tie_word_embeddings: tied } = json;
      return {
        ...Object.fromEntries(whole),
        ...text,
        ...(tied !== undefined && { tie_word_embeddings: tied }),
        ...{ architectures: [className], model_type: modelType },
      };
    },
    read(json, fail) {
      const {
        text_config: text,
        tie_word_embeddings: tied,
        ...whole
      } = checkKeys(WHOLE, json, fail);
      const type = typeOf(text);
      const family = familyOf(type);
      if (family === undefined) {
        throw fail(
          'model.unsupported',
          `text of the type ${quote(type)} in text_config is not known; known are ${texts.map(({ modelType }) => modelType).join(', ')}`,
        );
      }
      const ofText = { ...whole, ...text };
      return family.read(
        tied === undefined ? ofText : { ...ofText, tie_word_embeddings: tied },
        fail,
        NAMES,
      );
    },
  };
}
