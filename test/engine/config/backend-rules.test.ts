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
      accelerate: { num_processes: 4, mixed_precision: 'bf16' },
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
