import { type ConfigPath, formatPath } from '../config-error.ts';
import type { Given } from '../given.ts';
import { type PathProblem, setValue } from '../path-problem.ts';
import { problem, type Rule } from './rule.ts';

/** A key that means less on Accelerate than here, or nothing. */
interface Restriction {
  readonly path: readonly [section: string, key: string];
  /** Values that mean the same; none where the key has no meaning. */
  readonly allowed: readonly unknown[];
  /** What to do instead, where there is anything. */
  readonly instead?: string;
}

/** Every key that does not mean the same on Accelerate; all others do. */
const NOT_ON_ACCELERATE: readonly Restriction[] = [
  { path: ['model', 'quantization'], allowed: ['none'] },
  { path: ['data', 'packing'], allowed: [false] },
  { path: ['training', 'method'], allowed: ['lorafa', 'lora'] },
  { path: ['training', 'gradient_checkpointing'], allowed: ['none', 'layer'] },
  { path: ['training', 'sample_prompts'], allowed: [] },
  {
    path: ['engine', 'device'],
    allowed: ['auto', 'cpu', 'cuda'],
    instead: 'choose devices by the variable `CUDA_VISIBLE_DEVICES`',
  },
  {
    path: ['engine', 'compute'],
    allowed: ['float32'],
    instead: 'use `accelerate.mixed_precision`',
  },
  { path: ['engine', 'tf32'], allowed: [false] },
  { path: ['engine', 'max_memory_gib'], allowed: [] },
];

/** What a backend cannot do is refused by the name of its key. */
export function backendRule(
  given: Given,
  accelerateKeys: readonly string[],
): readonly PathProblem[] {
  if (given('engine', 'backend') !== 'accelerate') {
    return accelerateKeys.map((key) => {
      const path = ['accelerate', key];
      return problem(
        path,
        `${name(path)} has an effect only with \`engine.backend\` "accelerate"; choose that backend or remove it`,
        setValue(['engine', 'backend'], 'accelerate'),
        { kind: 'remove', path },
      );
    });
  }
  return NOT_ON_ACCELERATE.flatMap(({ path: [section, key], allowed, instead }) => {
    const value = given(section, key);
    if (value === undefined || allowed.includes(value)) return [];
    const path = [section, key];
    const what = allowed.length === 0 ? name(path) : `${name(path)} ${JSON.stringify(value)}`;
    const wayOut = instead === undefined ? 'remove one of the two' : `remove it and ${instead}`;
    return [problem(path, `${what} cannot be had with \`engine.backend\` "accelerate"; ${wayOut}`)];
  });
}

/** More devices than a machine has. A slip of the pen would have it start thousands of processes. */
const MAX_PROCESSES_OF_A_MACHINE = 256;

/** Each process of a step has a batch, and no machine more processes than it may have devices. */
export const processesRule: Rule = (given) => {
  const path = ['accelerate', 'num_processes'];
  const processes = given('accelerate', 'num_processes');
  const batches = given('training', 'gradient_accumulation_steps') ?? 1;
  const machines = given('accelerate', 'num_machines') ?? 1;
  if (given('engine', 'backend') !== 'accelerate') return [];
  if (typeof processes !== 'number' || typeof batches !== 'number') return [];
  const most = typeof machines === 'number' ? MAX_PROCESSES_OF_A_MACHINE * machines : Infinity;
  if (processes > most) {
    return [
      problem(
        path,
        `\`accelerate.num_processes\` ${processes} are more than ${MAX_PROCESSES_OF_A_MACHINE} on each machine; use ${most} at most, or more machines by \`accelerate.num_machines\``,
        setValue(path, most),
        { kind: 'remove', path },
      ),
    ];
  }
  if (processes <= batches) return [];
  return [
    problem(
      path,
      `\`accelerate.num_processes\` ${processes} have no more than ${batches} batches of a step to share; set \`training.gradient_accumulation_steps\` to at least ${processes}`,
      setValue(['training', 'gradient_accumulation_steps'], processes),
      { kind: 'remove', path },
    ),
  ];
};

/** A model is shared by several processes, or not at all. */
export const sharingRule: Rule = (given) => {
  const path = ['accelerate', 'distributed_type'];
  if (given('engine', 'backend') !== 'accelerate') return [];
  if (given('accelerate', 'distributed_type') !== 'fsdp') return [];
  // A file of Accelerate says how many there are.
  if (given('accelerate', 'config_file') !== undefined) return [];
  if ((given('accelerate', 'num_processes') ?? 1) !== 1) return [];
  return [
    problem(
      path,
      '`accelerate.distributed_type` "fsdp" has an effect only with several processes; set `accelerate.num_processes` or remove it',
      { kind: 'remove', path },
    ),
  ];
};

function name(path: ConfigPath): string {
  return `\`${formatPath(path)}\``;
}
