import { describe, expect, test } from 'vitest';
import { checkConfig } from '../../../engine/config/parse.ts';

const COMPLETE = {
  model: { base_model_name_or_path: 'model' },
  data: { dataset_name_or_path: 'rows.jsonl' },
  training: { output_dir: 'out' },
};

function problemsOf(changes: Readonly<Record<string, object>>) {
  const sections = [...new Set([...Object.keys(COMPLETE), ...Object.keys(changes)])];
  const config = Object.fromEntries(
    sections.map((name) => [
      name,
      { ...COMPLETE[name as keyof typeof COMPLETE], ...changes[name] },
    ]),
  );
  return checkConfig(JSON.stringify(config), '/tune/run.lorafa.json');
}

describe('on Accelerate', () => {
  test.each([
    ['model', 'quantization', 'nf4'],
    ['data', 'packing', true],
    ['training', 'method', 'full'],
    ['training', 'gradient_checkpointing', 'auto'],
    ['training', 'gradient_checkpointing', 'attention'],
    ['training', 'sample_prompts', ['Hi']],
    ['engine', 'device', 'webgpu'],
    ['engine', 'device', 'cuda:1'],
    ['engine', 'compute', 'int8'],
    ['engine', 'tf32', true],
    ['engine', 'max_memory_gib', 4],
  ])('`%s.%s` %j is refused by name', (section, key, value) => {
    const engine = { backend: 'accelerate' };
    const changes = { engine, [section]: { ...(section === 'engine' && engine), [key]: value } };
    const { problems, config } = problemsOf(changes);
    expect(config).toBeUndefined();
    expect(problems).toMatchObject([
      { code: 'config.contradiction', message: expect.stringContaining(`\`${section}.${key}\``) },
    ]);
    expect(problems[0]!.message).toContain('"accelerate"');
  });

  test('what means the same is taken, and a default is never refused', () => {
    const { problems } = problemsOf({
      engine: { backend: 'accelerate', device: 'cuda', compute: 'float32' },
      training: { gradient_checkpointing: 'layer', gradient_accumulation_steps: 4 },
      accelerate: {
        ...{ num_processes: 4, num_machines: 2, machine_rank: 1, main_process_ip: 'node-1' },
        mixed_precision: 'bf16',
      },
    });
    expect(problems).toEqual([]);
  });

  test('a process without a batch is refused', () => {
    const { problems } = problemsOf({
      engine: { backend: 'accelerate' },
      accelerate: { num_processes: 2 },
    });
    expect(problems).toMatchObject([
      {
        code: 'config.contradiction',
        message: expect.stringContaining('gradient_accumulation_steps` to at least 2'),
      },
    ]);
  });

  test.each([
    [{ num_machines: 2, main_process_ip: 'a' }, 'num_machines', '`accelerate.num_processes`'],
    [{ num_processes: 2, num_machines: 2 }, 'num_machines', 'set `accelerate.main_process_ip`'],
    [{ machine_rank: 1 }, 'machine_rank', 'only with several machines'],
    [{ main_process_ip: 'a' }, 'main_process_ip', 'only with several machines'],
    [{ main_process_port: 1 }, 'main_process_port', 'only with several machines'],
    [
      { num_processes: 2, num_machines: 2, main_process_ip: 'a', machine_rank: 2 },
      'machine_rank',
      'use 0 to 1',
    ],
  ])('machines that cannot meet are refused: %j', (accelerate, key, words) => {
    const { problems } = problemsOf({
      engine: { backend: 'accelerate' },
      training: { gradient_accumulation_steps: 2 },
      accelerate,
    });
    expect(problems).toMatchObject([
      { code: 'config.contradiction', message: expect.stringContaining(words) },
    ]);
    expect(problems[0]!.message).toContain(`\`accelerate.${key}\``);
  });

  test('a model is shared by several processes, or not at all', () => {
    const problemsWith = (accelerate: object) =>
      problemsOf({
        engine: { backend: 'accelerate' },
        training: { gradient_accumulation_steps: 2 },
        accelerate,
      }).problems;
    expect(problemsWith({ distributed_type: 'fsdp' })).toMatchObject([
      {
        code: 'config.contradiction',
        message: expect.stringContaining('`accelerate.distributed_type` "fsdp"'),
      },
    ]);
    for (const accelerate of [
      { distributed_type: 'ddp' },
      { distributed_type: 'fsdp', num_processes: 2 },
    ]) {
      expect(problemsWith(accelerate)).toEqual([]);
    }
  });

  test('no machine has more than 256 processes', () => {
    const problemsWith = (accelerate: object) =>
      problemsOf({
        engine: { backend: 'accelerate' },
        training: { gradient_accumulation_steps: 1000 },
        accelerate,
      }).problems;
    const several = { num_machines: 2, main_process_ip: 'a' };
    expect(problemsWith({ num_processes: 256 })).toEqual([]);
    expect(problemsWith({ num_processes: 512, ...several })).toEqual([]);
    for (const accelerate of [{ num_processes: 257 }, { num_processes: 514, ...several }]) {
      expect(problemsWith(accelerate)).toMatchObject([
        { code: 'config.contradiction', message: expect.stringContaining('256 on each machine') },
      ]);
    }
  });

  test('a file of Accelerate takes the place of keys', () => {
    const { problems } = problemsOf({
      engine: { backend: 'accelerate' },
      accelerate: { config_file: 'default', mixed_precision: 'no' },
    });
    expect(problems).toMatchObject([
      { message: expect.stringContaining('`accelerate.mixed_precision` is what the file') },
    ]);
  });

  test('a path of Python starts at the folder of the file, and a name is looked for', () => {
    const pythonOf = (python: string): string | undefined =>
      problemsOf({ engine: { backend: 'accelerate' }, accelerate: { python } }).config!.accelerate
        .python;
    expect(pythonOf('venv/bin/python')).toBe('/tune/venv/bin/python');
    expect(pythonOf('python3.12')).toBe('python3.12');
  });
});

test('elsewhere, keys of its section are refused', () => {
  const { problems } = problemsOf({ accelerate: { num_processes: 2 } });
  expect(problems).toMatchObject([
    {
      code: 'config.contradiction',
      message: expect.stringContaining('`accelerate.num_processes` has an effect only with'),
    },
  ]);
});
