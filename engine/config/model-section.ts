import { z } from 'zod';
import { SIZED } from '../sized.ts';

/** Section `model`: what is fine-tuned. */
export const modelSection = z
  .strictObject({
    base_model_name_or_path: z
      .string()
      .min(1, SIZED)
      .meta({ format: 'model-path' })
      .describe(
        'The base model: a Hugging Face model folder (`config.json`, safetensors, tokenizer) or a `.gguf` file, which is read in place and never changed; a relative path starts at the folder of this file. Or its name on the Hugging Face Hub: `owner/name`, `owner/name@revision`, and `owner/name:file.gguf` for one GGUF of several. What lies here goes first; what does not is downloaded when a run starts.',
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
