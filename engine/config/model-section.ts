import { z } from 'zod';

/** Section `model`: what is fine-tuned. */
export const modelSection = z
  .strictObject({
    base_model_name_or_path: z
      .string()
      .min(1)
      .meta({ format: 'model-path' })
      .describe(
        'The base model: a Hugging Face model folder (`config.json`, safetensors, tokenizer) or a `.gguf` file. It is read in place and never changed. A relative path starts at the folder of this file.',
      ),
  })
  .describe('The base model.');
