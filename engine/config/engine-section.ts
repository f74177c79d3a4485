import { z } from 'zod';
import { COMPUTE_MODES } from '../weights/compute-mode.ts';

/** More than any machine has cores for; each thread takes memory, whether it computes or not. */
const MAX_THREADS = 1024;

/** A pebibyte. */
const MAX_MEMORY_GIB = 2 ** 20;

/** Section `engine`: where and how the arithmetic runs. */
export const engineSection = z
  .strictObject({
    backend: z
      .enum(['onnxruntime', 'accelerate'])
      .default('onnxruntime')
      .describe(
        'What computes the steps: `onnxruntime`, which is part of this program; or `accelerate`, Hugging Face Accelerate with transformers and PEFT in a Python of yours, for several devices. Rows, batches, checkpoints and adapters are the same. Of the section `accelerate` is what only the second knows; keys that it cannot honour are refused.',
      ),
    device: z
      .union([
        z.enum(['auto', 'cpu', 'cuda', 'webgpu']),
        z
          .string()
          .regex(/^cuda:\d+$/)
          .meta({ title: '"cuda:N" with the number of a GPU' }),
      ])
      .meta({ format: 'device' })
      .default('auto')
      .describe(
        'Where the model runs. `auto` takes CUDA where it works, or else WebGPU where that is faster than the CPU, or else the CPU; any other is used or the run is refused, never silently replaced.',
      ),
    intra_op_num_threads: z
      .int()
      .min(0)
      .max(MAX_THREADS)
      .default(0)
      .describe('CPU threads; 0 takes one per physical core.'),
    compute: z
      .enum([...COMPUTE_MODES, 'auto'])
      .default('float32')
      .describe(
        'How training multiplies with the frozen weights of the linear layers. `bfloat16`, which takes the least time and memory, rounds activations to bfloat16, as is usual on graphics cards, and multiplies with the output embedding in the same way; on CUDA it uses tensor cores, and on a CPU it needs AVX512-BF16 or AMX-BF16, on Linux or Windows. On a CPU alone there are `bfloat16x2`, which adds a product for what that rounding takes and is as exact as `float32` where the weights are in bfloat16 already, and `int8`, in eight bits, which is faster on processors with VNNI or AMX and less exact. `auto` is `bfloat16` on CUDA; on a CPU it tries all of them on the first batch and takes the fastest whose gradients are within 0.1 % of `float32`. All else, and generation, stays in `float32`, as everything does on WebGPU. Weights that are not in the form that a mode multiplies are made into it once, in a file in the cache folder, and those for bfloat16 lose what rounding takes.',
      ),
    tf32: z
      .boolean()
      .default(false)
      .describe(
        'Lets CUDA round the factors of float32 products to TF32 (ten bits of mantissa), for which GPUs have tensor cores since Ampere: steps take less time and are less exact. Products in bfloat16 do not depend on it, nor does the optimizer.',
      ),
    max_memory_gib: z
      .number()
      .gt(0)
      .max(MAX_MEMORY_GIB)
      .exactOptional()
      .describe(
        'Memory that the run may use, in GiB, for `training.gradient_checkpointing: "auto"` to decide by. Default: what is free when the run starts.',
      ),
  })
  .describe('What computes, and on which device.');
