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
    quantization: z
      .enum(['none', 'nf4'])
      .default('none')
      .describe(
        "Storage of the frozen weights. `nf4` keeps those of the decoder layers' linear layers in 4.5 bits each instead of 16 or 32 (QLoRA's normal float, the codes of bitsandbytes); training is about as fast and a little less exact. They are quantized once, into a file in the cache folder.",
      ),
    use_double_quant: z
      .boolean()
      .default(false)
      .describe(
        'With `nf4`: quantize the scales of the blocks as well (`bnb_4bit_use_double_quant`), which takes 4.13 bits per weight.',
      ),
  })
  .describe('The base model.');
