import { z } from 'zod';

/** Section `engine`: where and how the arithmetic runs. */
export const engineSection = z
  .strictObject({
    device: z
      .union([
        z.enum(['auto', 'cpu', 'cuda', 'webgpu']),
        z
          .string()
          .regex(/^cuda:\d+$/)
          .meta({ title: '"cuda:N" with the number of a GPU' }),
      ])
      .default('auto')
      .describe(
        'Where the model runs. `auto` takes the best device that works; any other is used or the run is refused, never silently replaced.',
      ),
    intra_op_num_threads: z
      .int()
      .min(0)
      .default(0)
      .describe('CPU threads; 0 takes one per physical core.'),
    max_memory_gib: z
      .number()
      .gt(0)
      .exactOptional()
      .describe(
        'Memory that the run may use, in GiB, for `training.gradient_checkpointing: "auto"` to decide by. Default: what is free when the run starts.',
      ),
  })
  .describe('The device.');
