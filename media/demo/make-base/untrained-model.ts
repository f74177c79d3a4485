import path from 'node:path';
import { expectedTensors } from '../../../engine/architectures/expected-tensors.ts';
import { parseDecoderConfig } from '../../../engine/architectures/hugging-face-config.ts';
import { writeFileAtomic } from '../../../engine/files/atomic-file.ts';
import { writeSafetensors } from '../../../engine/formats/safetensors-writer.ts';
import { Random } from '../../../engine/random.ts';
import { saveTokenizerFiles } from '../../../engine/tokenizer/save-tokenizer.ts';
import type { TokenizerFiles } from '../../../engine/tokenizer/tokenizer-files.ts';
import { VOCAB_SIZE } from './settings.ts';

/** The random stream of the weights; the corpus and the rows use others. */
const WEIGHTS_STREAM = 4;

/** Standard deviation of new weights, about 1 / √hidden_size; 0.02 suits wider models. */
const INITIALIZER_RANGE = 0.08;

/** The `config.json` of the demo's base model: a Llama of under a million parameters. */
const CONFIG = {
  architectures: ['LlamaForCausalLM'],
  model_type: 'llama',
  vocab_size: VOCAB_SIZE,
  hidden_size: 128,
  intermediate_size: 320,
  num_hidden_layers: 3,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  hidden_act: 'silu',
  max_position_embeddings: 256,
  rms_norm_eps: 1e-5,
  rope_theta: 10000,
  tie_word_embeddings: true,
  attention_bias: false,
  mlp_bias: false,
  initializer_range: INITIALIZER_RANGE,
  bos_token_id: null,
  eos_token_id: 0,
  pad_token_id: 0,
  torch_dtype: 'bfloat16',
};

/**
 * Writes a Llama model with random weights, as transformers would initialise it: every matrix from
 * a normal distribution, every norm 1; stored as bfloat16.
 *
 * @param folder exists and is empty
 */
export async function writeUntrainedModel(
  folder: string,
  tokenizer: TokenizerFiles,
  seed: number,
): Promise<void> {
  const file = path.join(folder, 'config.json');
  await writeFileAtomic(file, `${JSON.stringify(CONFIG, null, 2)}\n`);
  await saveTokenizerFiles(folder, tokenizer);
  const random = new Random(seed, WEIGHTS_STREAM);
  await writeSafetensors(
    path.join(folder, 'model.safetensors'),
    [...expectedTensors(parseDecoderConfig(CONFIG, file))].map(([name, shape]) => {
      const data = new Float32Array(shape.reduce((size, width) => size * width, 1));
      const isNorm = shape.length === 1;
      for (let i = 0; i < data.length; i++) {
        data[i] = isNorm ? 1 : INITIALIZER_RANGE * random.normal();
      }
      return { name, shape, dtype: 'BF16', data };
    }),
    { format: 'pt' },
  );
}
