import type { DecoderConfig } from '../architectures/decoder-config.ts';
import { knownTensors } from '../gguf/gguf-weights.ts';
import type { LoadedAdapter } from '../lora/load-adapter.ts';

/*
 * What llama.cpp makes of files that say all that there is to say, as node-llama-cpp 3.21.1 has it. What a file has no
 * place for is told by `gguf-differences.ts`.
 */

/** Every so manyth layer of an OLMo 3 sees everything (`src/models/olmo2.cpp`, `set_swa_pattern`). */
const OLMO3_PATTERN = 4;

/** Products of GLM-4 that are asked to be exact, which the sum with an adapter cannot be (`src/llama-graph.cpp`). */
const EXACT_IN_GLM4 = /\.(attn_output|ffn_down)\.weight$/;

/** Sentences for people about a model. */
export function llamaCppNotes({ family, layers }: DecoderConfig): readonly string[] {
  if (family !== 'olmo3') return [];
  const others = layers.flatMap(({ attention }, index) => {
    const isTakenToSlide = (index + 1) % OLMO3_PATTERN !== 0;
    return (attention.slidingWindow !== null) === isTakenToSlide ? [] : [index];
  });
  if (others.length === 0) return [];
  return [
    `llama.cpp reads nowhere which layers of an OLMo 3 slide, and takes every fourth for one that sees everything; here it is otherwise in ${others.length === 1 ? 'layer' : 'layers'} ${others.join(', ')} (counted from 0), so that llama.cpp answers otherwise than this model does.`,
  ];
}

/** Sentences for people about an adapter beside its base. */
export function llamaCppAdapterNotes(
  config: DecoderConfig,
  { modules }: LoadedAdapter,
): readonly string[] {
  if (config.family !== 'glm4') return [];
  const adapted = new Set(modules.map(({ name }) => `${name}.weight`));
  const isExact = [...knownTensors(config)].some(
    ([gguf, all]) => EXACT_IN_GLM4.test(gguf) && all.some(({ name }) => adapted.has(name)),
  );
  if (!isExact) return [];
  return [
    "llama.cpp ends with a failed check of its own (GGML_ASSERT) when it computes with an adapter of GLM-4's o_proj or down_proj; export the adapter merged into its base, as gguf, for it.",
  ];
}
