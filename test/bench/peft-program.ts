import { existsSync } from 'node:fs';
import path from 'node:path';
import type { Allocator, PeftRow } from './bench-row.ts';
import { exampleIds } from './examples.ts';
import type { Program } from './measuring-process.ts';
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

/**
 * The program that measures a row of PEFT: its steps, or how far the first gradient of a B is from that in
 * float32, at worst and relative to its norm.
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
  measures: 'steps' | 'gradients',
): Program {
  const request = {
    measures,
    model,
    precision: peft.precision,
    gradientCheckpointing: peft.gradientCheckpointing,
    r: COMMON_SETTINGS['lora.r'],
    loraAlpha: COMMON_SETTINGS['lora.lora_alpha'],
    learningRate: COMMON_SETTINGS['training.learning_rate'],
    inputIds: texts.map(exampleIds),
    steps: warmupSteps + steps,
  };
  return {
    command: python,
    args: [path.resolve('test', 'bench', 'peft_step.py'), JSON.stringify(request)],
    env: { ...ENVIRONMENTS[peft.allocator], HF_HUB_OFFLINE: '1', TOKENIZERS_PARALLELISM: 'false' },
  };
}
