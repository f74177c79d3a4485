import { type ExecFileException, execFile } from 'node:child_process';
import { homedir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { accelerateSection } from '../config/accelerate-section.ts';
import { givenIn } from '../config/given.ts';
import { processesRule, sharingRule } from '../config/rules/backend-rules.ts';
import { machinesRule } from '../config/rules/machine-rules.ts';
import type { ResolvedConfig } from '../config/schema.ts';
import { LorafaError } from '../errors.ts';
import { PROGRAM_FOLDER, pythonCommand, pythonNotFound } from './rank-commands.ts';

/** Reading a file takes a moment, starting Python seconds. */
const TIMEOUT_MS = 60_000;

const keys = accelerateSection.shape;

/** What of Accelerate's file means the same here. */
const takenSchema = z.object({
  num_processes: keys.num_processes,
  num_machines: keys.num_machines,
  machine_rank: keys.machine_rank,
  // A machine that is alone has none, or Accelerate's word for that.
  main_process_ip: keys.main_process_ip.nullish(),
  main_process_port: keys.main_process_port.unwrap().nullish(),
  mixed_precision: keys.mixed_precision,
  use_cpu: z.boolean().default(false),
  distributed_type: z.string().optional(),
  fsdp_config: z.record(z.string(), z.unknown()).default({}),
});

type Taken = z.infer<typeof takenSchema>;

/** Values that mean something here, of keys that have others too: what `accelerate config` writes. */
const ONLY: Readonly<Record<string, readonly unknown[]>> = {
  compute_environment: ['LOCAL_MACHINE'],
  distributed_type: ['NO', 'MULTI_GPU', 'MULTI_CPU', 'FSDP'],
  gpu_ids: ['all', null],
  debug: [false],
  downcast_bf16: ['no', false],
  enable_cpu_affinity: [false],
  main_training_function: ['main'],
  rdzv_backend: ['static', 'c10d'],
  same_network: [true, false],
  tpu_env: [[]],
  tpu_use_cluster: [false],
  tpu_use_sudo: [false],
};

/**
 * The same of `fsdp_config`: the layers of the model are what is divided, and files of a whole model or of its parts are
 * what nobody here writes.
 */
const ONLY_OF_FSDP: Readonly<Record<string, readonly unknown[]>> = {
  fsdp_version: [2],
  fsdp_auto_wrap_policy: ['TRANSFORMER_BASED_WRAP'],
  fsdp_reshard_after_forward: [true],
  fsdp_offload_params: [false],
  fsdp_activation_checkpointing: [false],
  fsdp_cpu_ram_efficient_loading: [true, false],
  fsdp_state_dict_type: ['FULL_STATE_DICT', 'SHARDED_STATE_DICT'],
};

/** The device that a type is for. */
const DEVICES: ReadonlyMap<string | undefined, string> = new Map([
  ['MULTI_GPU', 'cuda'],
  ['MULTI_CPU', 'cpu'],
]);

/** Where `accelerate config` writes. */
function defaultFile(environment: NodeJS.ProcessEnv): string {
  const home = environment['HF_HOME'] ?? path.join(homedir(), '.cache', 'huggingface');
  return path.join(home, 'accelerate', 'default_config.yaml');
}

/**
 * A configuration with what Accelerate's own file says in place of its name (`accelerate.config_file`); the same
 * where it names none.
 *
 * @throws LorafaError `config.not_found` for a file that cannot be read, `config.contradiction` for what it asks for
 * and cannot be had; `python.not_found`, `python.failed` for what is no Python
 */
export async function withConfigFile(
  config: ResolvedConfig,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<ResolvedConfig> {
  const { config_file: name, ...accelerate } = config.accelerate;
  if (name === undefined) return config;
  const file = name === 'default' ? defaultFile(environment) : name;
  const said = await read(file, pythonCommand(config, environment));
  const { use_cpu, distributed_type, main_process_ip, main_process_port, fsdp_config, ...taken } =
    said;
  const isShared = distributed_type === 'FSDP';
  requireSharing(isShared, fsdp_config, file);
  const isAlone = taken.num_machines === 1;
  if (use_cpu && config.engine.device === 'cuda') {
    throw refusal(file, 'use_cpu contradicts engine.device "cuda"');
  }
  const device = use_cpu ? 'cpu' : config.engine.device;
  if (device !== 'auto' && device !== (DEVICES.get(distributed_type) ?? device)) {
    const other = use_cpu ? 'use_cpu' : `engine.device "${device}"`;
    throw refusal(file, `distributed_type: "${distributed_type}" contradicts ${other}`);
  }
  const merged: ResolvedConfig = {
    ...config,
    accelerate: {
      ...accelerate,
      ...taken,
      distributed_type: isShared ? 'fsdp' : 'ddp',
      ...(!isAlone && main_process_ip != null && { main_process_ip }),
      ...(!isAlone && main_process_port != null && { main_process_port }),
    },
    engine: { ...config.engine, device },
  };
  requireMeaning(merged, file);
  return merged;
}

async function read(file: string, python: string): Promise<Taken> {
  const content = z.record(z.string(), z.unknown()).safeParse(await askPython(file, python));
  if (!content.success) throw refusal(file, 'it has no keys');
  for (const [key, value] of Object.entries(content.data)) {
    const isAllowed = Object.hasOwn(ONLY, key)
      ? isOneOf(ONLY[key]!, value)
      : Object.hasOwn(takenSchema.shape, key);
    if (!isAllowed) throw refusal(file, `${key}: ${JSON.stringify(value)} cannot be had`);
  }
  const { data, error } = takenSchema.safeParse(content.data);
  if (data !== undefined) return data;
  const [issue] = error.issues;
  throw refusal(file, `${issue!.path.join('.')}: ${issue!.message}`);
}

function isOneOf(values: readonly unknown[], value: unknown): boolean {
  return values.some((each) => JSON.stringify(each) === JSON.stringify(value));
}

/** What FSDP is to be, where it is to be: `fully_shard` of each layer, in PyTorch's second version of it. */
function requireSharing(
  isShared: boolean,
  fsdpConfig: Readonly<Record<string, unknown>>,
  file: string,
): void {
  // Accelerate takes the first version where a file names none.
  const asked = isShared ? { fsdp_version: 1, ...fsdpConfig } : fsdpConfig;
  for (const [key, value] of Object.entries(asked)) {
    const isAllowed =
      key === 'fsdp_transformer_layer_cls_to_wrap'
        ? /^\w*(?:DecoderLayer|Block)$/.test(String(value))
        : Object.hasOwn(ONLY_OF_FSDP, key) && isOneOf(ONLY_OF_FSDP[key]!, value);
    if (isAllowed) continue;
    const ways = Object.hasOwn(ONLY_OF_FSDP, key)
      ? `; it can be ${ONLY_OF_FSDP[key]!.join(' or ')}`
      : '';
    throw refusal(file, `fsdp_config.${key}: ${JSON.stringify(value)} cannot be had${ways}`);
  }
}

/** What the file says, as Python reads it. */
async function askPython(file: string, python: string): Promise<unknown> {
  const args = [path.join(PROGRAM_FOLDER, 'config_file.py'), file];
  let output: string;
  try {
    const options = { timeout: TIMEOUT_MS, windowsHide: true };
    output = (await promisify(execFile)(python, args, options)).stdout;
  } catch (cause) {
    const error = cause as ExecFileException;
    // The system says by a word why it starts nothing, a program by a number why it ends.
    const isStarted = typeof error.code !== 'string' || error.killed === true;
    if (!isStarted) throw pythonNotFound(python, error);
    const words = error.stderr?.trim().split('\n').at(-1) || error.message;
    throw new LorafaError(
      'config.not_found',
      `${file}: the configuration of Accelerate cannot be read (${words}); make it by accelerate config, or remove accelerate.config_file.`,
      { location: { file } },
    );
  }
  try {
    // Whatever it loads at its start may print before.
    return JSON.parse(output.trimEnd().split('\n').at(-1)!);
  } catch {
    throw new LorafaError(
      'python.failed',
      `"${python}" does not read ${file} as a Python would; name another one by accelerate.python, or remove accelerate.config_file.`,
    );
  }
}

/** The rules of the configuration, for what comes from another file. */
function requireMeaning(config: ResolvedConfig, file: string): void {
  const { machine_rank, main_process_port, num_machines, ...others } = config.accelerate;
  const isAlone = num_machines === 1;
  // One that is alone is the first, as files say.
  const accelerate = isAlone
    ? { ...others, ...(machine_rank > 0 && { machine_rank }) }
    : { ...others, machine_rank, main_process_port, num_machines };
  const given = givenIn({ ...config, accelerate });
  const [problem] = [processesRule, machinesRule, sharingRule].flatMap((rule) => rule(given));
  if (problem !== undefined) throw refusal(file, problem.message);
}

function refusal(file: string, what: string): LorafaError {
  return new LorafaError(
    'config.contradiction',
    `${file}: ${what}; make another one by accelerate config, or use the keys of the section accelerate.`,
    { location: { file } },
  );
}
