import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expectedTensors } from '../../engine/architectures/expected-tensors.ts';
import { parseDecoderConfig } from '../../engine/architectures/hugging-face-config.ts';
import { writeSafetensors } from '../../engine/formats/safetensors-writer.ts';
import { Random } from '../../engine/random.ts';
import { byteLevelFiles, CHATML, SPECIAL } from '../engine/tokenizer/tiny-tokenizer.ts';

const CONFIG = {
  architectures: ['LlamaForCausalLM'],
  model_type: 'llama',
  bos_token_id: SPECIAL['<|bos|>'],
  eos_token_id: SPECIAL['<|im_end|>'],
  hidden_act: 'silu',
  hidden_size: 32,
  intermediate_size: 64,
  max_position_embeddings: 256,
  num_attention_heads: 4,
  num_hidden_layers: 2,
  num_key_value_heads: 2,
  rms_norm_eps: 1e-5,
  rope_theta: 10000,
  tie_word_embeddings: true,
  vocab_size: 260,
};

/** Writes a Hugging Face folder with a Llama of random weights whose tokens are bytes. */
export async function writeTinyModel(
  folder: string,
  {
    chatTemplate = CHATML,
    layers = CONFIG.num_hidden_layers,
    widths = {},
  }: {
    readonly chatTemplate?: string | null;
    readonly layers?: number;
    readonly widths?: { readonly hidden_size?: number; readonly intermediate_size?: number };
  } = {},
): Promise<void> {
  await mkdir(folder, { recursive: true });
  const json = (name: string, content: object) =>
    writeFile(path.join(folder, name), JSON.stringify(content));
  const { tokenizerJson, tokenizerConfig } = byteLevelFiles();
  const config = { ...CONFIG, ...widths, num_hidden_layers: layers };
  await json('config.json', config);
  await json('tokenizer.json', tokenizerJson);
  await json('tokenizer_config.json', { ...tokenizerConfig, chat_template: chatTemplate });
  const random = new Random(1, 0);
  const tensors = [...expectedTensors(parseDecoderConfig(config, 'config.json'))];
  await writeSafetensors(
    path.join(folder, 'model.safetensors'),
    tensors.map(([name, shape]) => {
      const size = shape.reduce((product, length) => product * length, 1);
      const isNorm = shape.length === 1;
      const data = Float32Array.from({ length: size }, () =>
        isNorm ? 1 : 0.2 * (random.uint32() / 2 ** 32 - 0.5),
      );
      return { name, shape, dtype: 'F32' as const, data };
    }),
  );
}
