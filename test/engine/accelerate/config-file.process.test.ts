import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { withConfigFile } from '../../../engine/accelerate/config-file.ts';
import { parseConfig } from '../../../engine/config/parse.ts';
import { lacks, REFERENCE_PYTHON } from '../../support/reference-python.ts';
import { tempFolder } from '../../support/temp-folder.ts';

let folder: string;

beforeEach(async () => {
  folder = await tempFolder();
});

/** As `accelerate config` writes it, for two machines with four GPUs each. */
const WRITTEN = `compute_environment: LOCAL_MACHINE
debug: false
distributed_type: MULTI_GPU
downcast_bf16: 'no'
enable_cpu_affinity: false
gpu_ids: all
machine_rank: 1
main_process_ip: 10.0.0.1
main_process_port: 29501
main_training_function: main
mixed_precision: bf16
num_machines: 2
num_processes: 8
rdzv_backend: static
same_network: true
tpu_env: []
tpu_use_cluster: false
tpu_use_sudo: false
use_cpu: false
`;

/** What a configuration becomes that names a file of Accelerate. */
async function read(
  text: string,
  options: {
    readonly name?: string;
    readonly asked?: string;
    readonly python?: string;
    readonly device?: string;
  } = {},
) {
  const { name = 'accelerate.yaml', python = REFERENCE_PYTHON, device } = options;
  const { asked = name } = options;
  const file = path.join(folder, name);
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, text);
  const config = parseConfig(
    JSON.stringify({
      model: { base_model_name_or_path: 'model' },
      data: { dataset_name_or_path: 'rows.jsonl' },
      training: { output_dir: 'out', gradient_accumulation_steps: 8 },
      engine: { backend: 'accelerate', ...(device !== undefined && { device }) },
      accelerate: { python, config_file: asked },
    }),
    path.join(folder, 'run.lorafa.json'),
  );
  return withConfigFile(config, { HF_HOME: folder });
}

describe.skipIf(lacks('yaml'))('a configuration of Accelerate', () => {
  test('takes the place of keys', async () => {
    const { accelerate, engine } = await read(WRITTEN);
    expect(accelerate).toEqual({
      python: REFERENCE_PYTHON,
      num_processes: 8,
      num_machines: 2,
      machine_rank: 1,
      main_process_ip: '10.0.0.1',
      main_process_port: 29_501,
      mixed_precision: 'bf16',
      ddp_timeout: 600,
      distributed_type: 'ddp',
    });
    expect(engine.device).toBe('auto');
  });

  test('for a CPU is found where Accelerate looks for it', async () => {
    const { accelerate, engine } = await read('distributed_type: MULTI_CPU\nuse_cpu: true\n', {
      name: 'accelerate/default_config.yaml',
      asked: 'default',
    });
    expect(accelerate).toMatchObject({ num_processes: 1, num_machines: 1, mixed_precision: 'no' });
    expect(engine.device).toBe('cpu');
  });

  test('for FSDP is taken, as it is asked for in its second version', async () => {
    // As `accelerate config` writes it.
    const text = `distributed_type: FSDP
fsdp_config:
  fsdp_activation_checkpointing: false
  fsdp_auto_wrap_policy: TRANSFORMER_BASED_WRAP
  fsdp_cpu_ram_efficient_loading: true
  fsdp_offload_params: false
  fsdp_reshard_after_forward: true
  fsdp_state_dict_type: SHARDED_STATE_DICT
  fsdp_transformer_layer_cls_to_wrap: LlamaDecoderLayer
  fsdp_version: 2
num_processes: 2
`;
    const { accelerate } = await read(text);
    expect(accelerate).toMatchObject({ distributed_type: 'fsdp', num_processes: 2 });
  });

  test.each([
    ['distributed_type: DEEPSPEED', 'distributed_type: "DEEPSPEED" cannot be had'],
    ['distributed_type: FSDP', 'fsdp_config.fsdp_version: 1 cannot be had; it can be 2'],
    [
      'distributed_type: FSDP\nfsdp_config: {fsdp_version: 2, fsdp_offload_params: true}',
      'fsdp_config.fsdp_offload_params: true cannot be had; it can be false',
    ],
    [
      'distributed_type: FSDP\nfsdp_config: {fsdp_version: 2, fsdp_min_num_params: 9}',
      'fsdp_config.fsdp_min_num_params: 9 cannot be had',
    ],
    [
      'distributed_type: FSDP\nfsdp_config: {fsdp_version: 2, fsdp_transformer_layer_cls_to_wrap: Linear}',
      'fsdp_transformer_layer_cls_to_wrap: "Linear" cannot be had',
    ],
    [
      'distributed_type: FSDP\nfsdp_config: {fsdp_version: 2}',
      'only with several processes; set `accelerate.num_processes`',
    ],
    ['dynamo_config: {dynamo_backend: INDUCTOR}', 'dynamo_config: .* cannot be had'],
    ['gpu_ids: "0,1"', 'gpu_ids: "0,1" cannot be had'],
    ['mixed_precision: fp16', 'mixed_precision: '],
    ['num_processes: many', 'num_processes: '],
    ['num_processes: 9', 'gradient_accumulation_steps` to at least 9'],
    ['num_processes: 3\nnum_machines: 2\nmain_process_ip: a', 'cannot share 3 processes'],
    ['num_processes: 2\nnum_machines: 2', 'set `accelerate.main_process_ip`'],
    ['machine_rank: 1', 'machine_rank` has an effect only with several machines'],
    ['num_processes: 257', '257 are more than 256 on each machine'],
    ['constructor: 1', 'constructor: 1 cannot be had'],
    ['distributed_type: MULTI_GPU\nuse_cpu: true', '"MULTI_GPU" contradicts use_cpu'],
    ['- a list', 'it has no keys'],
    ['', 'it has no keys'],
  ])('that asks for what cannot be had is refused by name: %s', async (text, words) => {
    await expect(read(`${text}\n`)).rejects.toMatchObject({
      code: 'config.contradiction',
      message: expect.stringMatching(new RegExp(`accelerate\\.yaml: .*${words}`)),
    });
  });

  test.each([
    ['a: [', 'accelerate.yaml'],
    ['a: \u0000', 'accelerate.yaml'],
    ['a: .nan', 'accelerate.yaml'],
  ])('that is none is told in a sentence: %j', async (text, name) => {
    await expect(read(text)).rejects.toMatchObject({
      code: 'config.not_found',
      message: expect.stringMatching(new RegExp(`^\\S*${name}: [^\\n]*accelerate config`)),
    });
  });

  test.each([
    ['cpu', 'MULTI_GPU'],
    ['cuda', 'MULTI_CPU'],
  ])('for other devices than %s is refused: %s', async (device, type) => {
    const text = `distributed_type: ${type}\n`;
    await expect(read(text, { device })).rejects.toMatchObject({
      code: 'config.contradiction',
      message: expect.stringContaining(`"${type}" contradicts engine.device "${device}"`),
    });
    expect((await read(text)).engine.device).toBe('auto');
  });

  test('that is not there is told, and so is a Python', async () => {
    await expect(read('', { asked: 'other.yaml' })).rejects.toMatchObject({
      code: 'config.not_found',
      message: expect.stringContaining('No such file'),
    });
    // One is not there, one may not be started, and one has a name that no program has.
    for (const python of ['/nowhere/python', folder, 'py\0thon']) {
      await expect(read(WRITTEN, { python })).rejects.toMatchObject({
        code: 'python.not_found',
        message: expect.stringContaining('lorafa.accelerate.python'),
      });
    }
    await expect(read(WRITTEN, { python: 'echo' })).rejects.toMatchObject({
      code: 'python.failed',
    });
  });
});
