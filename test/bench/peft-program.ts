import { existsSync } from 'node:fs';
import path from 'node:path';
import type { Allocator, PeftRow, PeftSettings } from './bench-row.ts';
import { exampleIds } from './examples.ts';
import type { Program } from './measuring-process.ts';
import type { LlamaJson } from './model-shapes.ts';
import { COMMON_SETTINGS } from './run-config.ts';

/** Places where Linux distributions put jemalloc. */
const JEMALLOC_PLACES = [
  '/usr/lib/x86_64-linux-gnu/libjemalloc.so.2',
  '/usr/lib/aarch64-linux-gnu/libjemalloc.so.2',
  '/usr/lib64/libjemalloc.so.2',
  '/usr/lib/libjemalloc.so.2',
];

const JEMALLOC = JEMALLOC_PLACES.find((file) => existsSync(file));

/** More than any row needs. */
const NEVER = String(2 ** 40);

/**
 * Environments of the allocators; undefined where one is not installed. `keep` has the C library
 * of Linux take everything from its heap and give nothing back, which saves a step the page faults
 * of large tensors and costs memory.
 */
const ENVIRONMENTS: Readonly<Record<Allocator, Readonly<Record<string, string>> | undefined>> = {
  default: {},
  keep: { MALLOC_MMAP_MAX_: '0', MALLOC_TRIM_THRESHOLD_: NEVER, MALLOC_ARENA_MAX: '1' },
  jemalloc:
    JEMALLOC === undefined
      ? undefined
      : {
          LD_PRELOAD: JEMALLOC,
          MALLOC_CONF: 'background_thread:true,dirty_decay_ms:-1,muzzy_decay_ms:-1',
        },
};

/** Whether this machine has the allocator of a row. */
export function hasAllocator({ peft }: PeftRow): boolean {
  return ENVIRONMENTS[peft.allocator] !== undefined;
}

/** What `peft_step.py` is asked for, beside what {@link COMMON_SETTINGS} say. */
export interface PeftRequest {
  /** Steps, or how far the first gradient of a B is from that in float32, at worst and relative to its norm. */
  readonly measures: 'steps' | 'gradients';
  /** A Hugging Face folder, or a `config.json` whose weights are random. */
  readonly model: string | LlamaJson;
  readonly device: 'cpu' | 'cuda';
  readonly method: 'lorafa' | 'lora';
  /** Puts the linear layers of random weights into NF4. */
  readonly isNf4: boolean;
  readonly precision: PeftSettings['precision'];
  readonly gradientCheckpointing: boolean;
  /** Rows of one length. */
  readonly inputIds: readonly (readonly number[])[];
  /** Those to warm up among them. */
  readonly steps: number;
}

/**
 * The program that measures PEFT.
 *
 * @param python an interpreter with torch, transformers and peft
 */
export function peftStepProgram(
  python: string,
  request: PeftRequest,
  env: Readonly<Record<string, string>> = {},
): Program {
  const common = {
    r: COMMON_SETTINGS['lora.r'],
    loraAlpha: COMMON_SETTINGS['lora.lora_alpha'],
    learningRate: COMMON_SETTINGS['training.learning_rate'],
  };
  return {
    command: python,
    args: [
      path.resolve('test', 'bench', 'peft_step.py'),
      JSON.stringify({ ...common, ...request }),
    ],
    env: { ...env, HF_HUB_OFFLINE: '1', TOKENIZERS_PARALLELISM: 'false' },
  };
}

/**
 * The program that measures a row of PEFT.
 *
 * @param python an interpreter with torch, transformers and peft
 * @param model a Hugging Face folder
 * @param texts the row's examples, all of one length
 */
export function peftProgram(
  { peft, steps, warmupSteps }: PeftRow,
  python: string,
  model: string,
  texts: readonly string[],
  measures: PeftRequest['measures'],
): Program {
  const { precision, gradientCheckpointing, allocator } = peft;
  return peftStepProgram(
    python,
    {
      ...{ measures, model, precision, gradientCheckpointing },
      ...{ device: 'cpu', method: 'lorafa', isNf4: false },
      inputIds: texts.map(exampleIds),
      steps: warmupSteps + steps,
    },
    ENVIRONMENTS[allocator],
  );
}
