import { z } from 'zod';
import { SIZED } from '../sized.ts';

/** More than a machine has devices for. */
const MAX_PROCESSES = 256;

/** Section `accelerate`: what only the backend of that name knows. */
export const accelerateSection = z
  .strictObject({
    python: z
      .string()
      .min(1, SIZED)
      .exactOptional()
      .describe(
        'The Python that computes, with the packages torch, transformers, peft and accelerate: a path, which starts at the folder of this file, or a name that is looked for in `PATH`. It is started, so look at what it is in a configuration that somebody else wrote. Default: what the variable `LORAFA_PYTHON` says, or `python3`.',
      ),
    num_processes: z
      .int()
      .min(1)
      .max(MAX_PROCESSES)
      .default(1)
      .describe(
        'Processes that compute, each on a device of its own. They share the batches of a step, `training.gradient_accumulation_steps` of them, so that a run learns the same with any number of processes.',
      ),
    mixed_precision: z
      .enum(['no', 'bf16'])
      .default('no')
      .describe(
        '`bf16` keeps the frozen weights in bfloat16 and computes in it, with the adapter in float32; `no` computes in float32, as the other backend does.',
      ),
  })
  .describe('Hugging Face Accelerate, for `engine.backend` "accelerate".');
