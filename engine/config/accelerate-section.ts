import { z } from 'zod';
import { SIZED } from '../sized.ts';

/** More than anybody has devices for. */
const MAX_PROCESSES = 10_000;

/** Section `accelerate`: what only the backend of that name knows. */
export const accelerateSection = z
  .strictObject({
    python: z
      .string()
      .min(1, SIZED)
      .exactOptional()
      .describe(
        'The Python that computes, with the packages torch, transformers, peft and accelerate: a path, which starts at the folder of this file, or a name that is looked for in `PATH`. It is started, so look at what it is in a configuration that somebody else wrote. Default: what the variable `LORAFA_PYTHON` says, in VS Code the setting `lorafa.accelerate.python` or the interpreter that is selected in the Python extension, or `python3`.',
      ),
    config_file: z
      .string()
      .min(1, SIZED)
      .exactOptional()
      .describe(
        'A file that `accelerate config` has written, or "default" for the one where Accelerate looks for it: it says processes, machines, precision and whether they share the model in place of the keys of these names. What it asks for beside and cannot be had is refused.',
      ),
    num_processes: z
      .int()
      .min(1)
      .max(MAX_PROCESSES)
      .default(1)
      .describe(
        'Processes that compute, on all machines together, each on a device of its own. They share the batches of a step, `training.gradient_accumulation_steps` of them, so that a run learns the same with any number of processes.',
      ),
    num_machines: z
      .int()
      .min(1)
      .max(MAX_PROCESSES)
      .default(1)
      .describe(
        'Machines that compute, each with the same number of processes. `lorafa train` is started on each of them, with the `accelerate.machine_rank` of its own; it needs the configuration and the base model there, and the data on the first one alone.',
      ),
    machine_rank: z
      .int()
      .min(0)
      .max(MAX_PROCESSES - 1)
      .default(0)
      .describe(
        'Which of `accelerate.num_machines` this one is, from 0. The first one, 0, has the run folder and all that can be seen of the run; the others compute what it tells them, and end with it.',
      ),
    main_process_ip: z
      .string()
      .min(1, SIZED)
      .exactOptional()
      .describe(
        'Address or name of the first machine, by which all of them reach it. What they say there is not encrypted, and whoever reaches its port can take part: use a network of your own.',
      ),
    main_process_port: z
      .int()
      .min(1)
      .max(65_535)
      .default(29_500)
      .describe('Port at which the first of several machines listens.'),
    ddp_timeout: z
      .int()
      .min(1)
      .max(86_400)
      .default(600)
      .describe(
        'Seconds for which processes wait for one another before the run ends as failed: for one that is stopped, or a network that is gone. As long as the slowest one may take for loading the model, or for its share of a step.',
      ),
    distributed_type: z
      .enum(['ddp', 'fsdp'])
      .default('ddp')
      .describe(
        'How several processes have the model: `ddp`, each of them all of it; or `fsdp`, each of them its rows of every weight, for models that fit no single device. A layer is put together when it is computed with, so that there is more to send (FSDP2 of PyTorch). A run learns the same.',
      ),
    mixed_precision: z
      .enum(['no', 'bf16'])
      .default('no')
      .describe(
        '`bf16` keeps the frozen weights in bfloat16 and computes in it, with the adapter in float32; `no` computes in float32, as the other backend does.',
      ),
  })
  .describe('Hugging Face Accelerate, for `engine.backend` "accelerate".');
