import { z } from 'zod';
import { SIZED } from '../sized.ts';

/** The largest `lora_alpha`: the scale that follows from it is a float32 in the graph. */
export const MAX_ALPHA = 1e30;
const alpha = z.number().gt(0).max(MAX_ALPHA);

const names = z.array(z.string().min(1, SIZED)).min(1, SIZED);

const regularExpression = z.string().min(1, SIZED).refine(isRegularExpression);

function isRegularExpression(source: string): boolean {
  try {
    new RegExp(source);
    return true;
  } catch {
    return false;
  }
}

/** Section `lora`: the fields of PEFT's LoraConfig, with its meaning and its names. */
export const loraSection = z
  .strictObject({
    r: z
      .int()
      .min(1)
      .default(16)
      .describe(
        'Rank of the adapter. LoRA-FA trains half of what LoRA trains and gains from a larger rank: 64 or 128 where memory allows.',
      ),
    lora_alpha: alpha
      .default(32)
      .describe(
        'Strength of the adapter: its output is scaled by `lora_alpha / r` (with `use_rslora` by `lora_alpha / sqrt(r)`). Keep it at twice `r` when you change `r`.',
      ),
    lora_dropout: z
      .number()
      .min(0)
      .lt(1)
      .default(0)
      .describe("Share of the adapter's input that is zeroed at random while training."),
    target_modules: z
      .union([
        regularExpression.meta({ title: '"all-linear", a regular expression as a string' }),
        names,
      ])
      .default('all-linear')
      .describe(
        'The linear layers that get an adapter: a list of names (a name matches the end of a layer\'s full name: `"q_proj"`), a regular expression that matches the full name, or `"all-linear"` for every one except the output layer.',
      ),
    exclude_modules: z
      .union([regularExpression.meta({ title: 'a regular expression as a string' }), names])
      .exactOptional()
      .describe(
        'Layers that get no adapter although `target_modules` matches them: a list of names or a regular expression.',
      ),
    layers_to_transform: z
      .union([z.int().min(0), z.array(z.int().min(0)).min(1, SIZED)])
      .exactOptional()
      .describe('Only these decoder layers get adapters, counted from 0. Default: all.'),
    rank_pattern: z
      .record(regularExpression, z.int().min(1))
      .default({})
      .describe(
        'Other ranks for some layers: from a name or regular expression to a rank, e.g. `{"down_proj": 32}`.',
      ),
    alpha_pattern: z
      .record(regularExpression, alpha)
      .default({})
      .describe(
        'Other values of `lora_alpha` for some layers, from a name or regular expression to a value.',
      ),
    use_rslora: z
      .boolean()
      .default(false)
      .describe(
        'Scale by `lora_alpha / sqrt(r)` (rank-stabilised LoRA), so that a large rank learns as fast as a small one.',
      ),
    bias: z
      .literal('none')
      .default('none')
      .describe(
        'Biases are never trained; the key is accepted for the sake of PEFT configurations.',
      ),
    init_adapter: z
      .string()
      .min(1, SIZED)
      .meta({ format: 'folder-path' })
      .exactOptional()
      .describe(
        'Folder of an adapter (PEFT format) to go on training from, or its name on the Hugging Face Hub (`owner/name`). Its own `adapter_config.json` decides rank, strength and layers, so no other key of this section but `lora_dropout` may be given.',
      ),
  })
  .describe("The adapter: the fields of PEFT's LoraConfig.");
