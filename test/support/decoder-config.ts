import type { DecoderConfig } from '../../engine/architectures/decoder-config.ts';
import { parseDecoderConfig } from '../../engine/architectures/hugging-face-config.ts';

/** A model of which only the config exists: a small Llama, or what other keys say. */
export function decoderConfig(keys: Readonly<Record<string, unknown>> = {}): DecoderConfig {
  const llama = {
    architectures: ['LlamaForCausalLM'],
    vocab_size: 96,
    hidden_size: 32,
    intermediate_size: 64,
    num_hidden_layers: 2,
    num_attention_heads: 4,
  };
  return parseDecoderConfig({ ...llama, ...keys }, 'model/config.json');
}
