import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import type { ResolvedConfig } from '../../../engine/config/schema.ts';
import { openSafetensors } from '../../../engine/formats/safetensors.ts';
import { readTensor } from '../../../engine/formats/tensor-data.ts';
import { loadAdapter } from '../../../engine/lora/load-adapter.ts';
import { readDecoderConfig } from '../../../engine/models/hugging-face-folder.ts';
import { TrainControl } from '../../../engine/train/control.ts';
import type { TrainEvent } from '../../../engine/train/events.ts';
import { readTrainerState } from '../../../engine/train/trainer-state.ts';
import { relativeError } from '../../support/golden.ts';
import { bytesOf, comparable, ofType, run, type TinyRuns } from './tiny-run.ts';
import { useTinyRuns } from './use-tiny-runs.ts';

const tiny = useTinyRuns();

async function tensorsOf(file: string): Promise<Map<string, Float32Array>> {
  const { tensors } = await openSafetensors(file);
  const entries = [...tensors].map(async ([name, at]) => [name, await readTensor(at)] as const);
  return new Map(await Promise.all(entries));
}

describe('a run', () => {
  test('tells what happens in order, and its journal holds the same', async () => {
    const config = tiny().config({
      data: { eval_split: 2 },
      training: { max_steps: 5, save_steps: 2, eval_steps: 3, logging_steps: 2 },
    });
    const { result, events } = await run(config);
    expect(result).toEqual({
      status: 'completed',
      steps: 5,
      adapterDir: config.training.output_dir,
    });
    const told = events.filter(({ type }) => type !== 'progress');
    expect(
      told.map((event) => `${event.type} ${'step' in event ? event.step : ''}`.trim()),
    ).toEqual([
      'started',
      'eval 0',
      'step 2',
      'checkpoint 2',
      'eval 3',
      'step 4',
      'checkpoint 4',
      'step 5',
      'eval 5',
      'checkpoint 5',
      'completed',
    ]);
    const journal = String(await bytesOf(config, 'events.jsonl'))
      .trimEnd()
      .split('\n');
    const entries = journal.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(entries.map(({ time, memory, ...event }) => event)).toEqual(told);
    expect(entries.every(({ time }) => !Number.isNaN(Date.parse(String(time))))).toBe(true);
  });

  test('answers prompts while it learns, with the adapter as it is', async () => {
    const finished = await run(
      tiny().config({
        training: {
          max_steps: 4,
          learning_rate: 1,
          sample_prompts: ['a', 'the'],
          sample_steps: 2,
        },
      }),
    );
    const samples = ofType(finished, 'sample');
    expect(samples.map(({ step, prompt }) => [step, prompt])).toEqual([
      [2, 'a'],
      [2, 'the'],
      [4, 'a'],
      [4, 'the'],
    ]);
    expect(samples[2]!.text).not.toBe(samples[0]!.text);
  });

  test('says how large it is', async () => {
    const finished = await run(tiny().config({ data: { eval_split: 2 } }));
    const [started] = ofType(finished, 'started');
    // r · (out + in) of q_proj and down_proj in two layers; B alone is trained.
    expect(started!.run).toMatchObject({
      steps: 2,
      resumedAt: 0,
      stepsPerEpoch: 5,
      trainableParameters: 2 * 2 * (32 + 32),
      device: 'cpu',
      dataset: { train: { rows: 5, droppedRows: 0 }, eval: { rows: 2 } },
    });
    expect(started!.run.totalParameters).toBe(26_912 + 2 * 2 * (64 + 96));
  });

  test('learns', async () => {
    const finished = await run(
      tiny().config({
        lora: { r: 16, lora_alpha: 32, target_modules: 'all-linear' },
        training: { max_steps: 40, per_device_train_batch_size: 7, learning_rate: 2e-2 },
      }),
    );
    const losses = ofType(finished, 'step').map(({ loss }) => loss);
    expect(losses).toHaveLength(40);
    expect(losses.at(-1)).toBeLessThan(0.7 * losses[0]!);
  });

  test.each(['lorafa', 'lora', 'full'] as const)(
    'of %s leaves what its result needs',
    async (method) => {
      const config = tiny().config({ training: { method } });
      await run(config);
      const names = await readdir(config.training.output_dir);
      const result =
        method === 'full'
          ? ['config.json', 'model.safetensors', 'tokenizer.json', 'tokenizer_config.json']
          : ['adapter_config.json', 'adapter_model.safetensors'];
      expect(names).toEqual(expect.arrayContaining([...result, 'checkpoint-2', 'run.json']));
      expect(names.filter((name) => name.startsWith('.') || name.endsWith('.partial'))).toEqual([]);
      expect(names).not.toContain('run.lock');
    },
  );

  test('of LoRA-FA changes every B and no A', async () => {
    const [first, second] = [1, 3].map((max_steps) => tiny().config({ training: { max_steps } }));
    await run(first!);
    await run(second!);
    const [after1, after3] = await Promise.all(
      [first!, second!].map((config) =>
        tensorsOf(path.join(config.training.output_dir, 'adapter_model.safetensors')),
      ),
    );
    for (const [name, data] of after3!) {
      if (name.endsWith('lora_A.weight')) expect(data).toEqual(after1!.get(name));
      else expect(data).not.toEqual(after1!.get(name));
    }
  });

  test('of a full fine-tune gives a model that a run can start from', async () => {
    const config = tiny().config({ training: { method: 'full', max_steps: 4 } });
    const before = ofType(await run(config), 'step');
    const again = tiny().config({
      model: { base_model_name_or_path: config.training.output_dir },
      training: { method: 'full', max_steps: 1 },
    });
    expect(ofType(await run(again), 'step')[0]!.loss).toBeLessThan(before[0]!.loss);
  });

  test('from an adapter goes on where that one stood', async () => {
    const first = tiny().config({ training: { max_steps: 4 } });
    const { config: decoder } = await readDecoderConfig(tiny().model);
    await run(first);
    const next = tiny().config({
      lora: { init_adapter: first.training.output_dir },
      training: { max_steps: 1 },
    });
    await run(next);
    const [before, after] = await Promise.all(
      [first, next].map(({ training }) => loadAdapter(training.output_dir, decoder)),
    );
    expect(after!.matched).toBe(4);
    expect(after!.modules).toEqual(before!.modules);
    for (const [name, data] of before!.weights) {
      const limit = name.endsWith('lora_A.weight') ? 1e-9 : 1;
      expect(relativeError(after!.weights.get(name)!, data)).toBeLessThan(limit);
    }
  });
});

describe('two runs of one configuration', () => {
  test('are the same to the last byte', async () => {
    const changes = {
      lora: { lora_dropout: 0.1 },
      data: { eval_split: 2 },
      training: { max_steps: 4, per_device_train_batch_size: 2 },
    };
    const [first, second] = [tiny().config(changes), tiny().config(changes)];
    const [one, two] = [await run(first), await run(second)];
    expect(comparable(two)).toEqual(comparable(one));
    for (const file of ['adapter_model.safetensors', 'adapter_config.json']) {
      expect(await bytesOf(second, file)).toEqual(await bytesOf(first, file));
    }
    expect(await bytesOf(second, 'checkpoint-4', 'optimizer.safetensors')).toEqual(
      await bytesOf(first, 'checkpoint-4', 'optimizer.safetensors'),
    );
  });

  test('with other seeds are not', async () => {
    const [first, second] = [1, 2].map((seed) => tiny().config({ training: { seed } }));
    await run(first!);
    await run(second!);
    expect(await bytesOf(first!, 'adapter_model.safetensors')).not.toEqual(
      await bytesOf(second!, 'adapter_model.safetensors'),
    );
  });
});

describe('the step does not depend on how its rows are laid out', () => {
  async function trained(changes: Parameters<TinyRuns['config']>[0]) {
    const config = tiny().config({
      ...changes,
      data: { eval_split: 3, ...changes?.data },
      training: { max_steps: 3, ...changes?.training },
    });
    const finished = await run(config);
    return {
      losses: ofType(finished, 'step').map(({ loss }) => loss),
      norms: ofType(finished, 'step').map(({ grad_norm }) => grad_norm),
      evals: ofType(finished, 'eval').map(({ eval_loss }) => eval_loss),
      tensors: await tensorsOf(path.join(config.training.output_dir, 'adapter_model.safetensors')),
    };
  }

  test.each<[string, Parameters<TinyRuns['config']>[0], Parameters<TinyRuns['config']>[0]]>([
    [
      'one batch of four, or four of one',
      { training: { per_device_train_batch_size: 4 } },
      { training: { gradient_accumulation_steps: 4 } },
    ],
    [
      'much padding, or none',
      { data: { pad_to_multiple_of: 64 }, training: { per_device_train_batch_size: 2 } },
      { data: { pad_to_multiple_of: 1 }, training: { per_device_train_batch_size: 2 } },
    ],
    [
      'evaluation one by one, or all at once',
      { training: { per_device_eval_batch_size: 1 } },
      { training: { per_device_eval_batch_size: 8 } },
    ],
  ])('%s', async (_, left, right) => {
    const [a, b] = [await trained(left), await trained(right)];
    expect(relativeError(a.losses, b.losses)).toBeLessThan(1e-5);
    expect(relativeError(a.norms, b.norms)).toBeLessThan(1e-4);
    expect(relativeError(a.evals, b.evals)).toBeLessThan(1e-5);
    for (const [name, data] of a.tensors) {
      expect(relativeError(data, b.tensors.get(name)!), name).toBeLessThan(1e-3);
    }
  });
});

describe('evaluation', () => {
  test('comes before the first step, after each epoch and at the end where nothing else is said', async () => {
    const finished = await run(
      tiny().config({
        data: { eval_dataset_name_or_path: tiny().data },
        training: { max_steps: 3, per_device_train_batch_size: 4, logging_steps: 10 },
      }),
    );
    const evaluations = ofType(finished, 'eval');
    expect(evaluations.map(({ step }) => step)).toEqual([0, 2, 3]);
    expect(evaluations.map(({ epoch }) => epoch)).toEqual([0, 1, 1.5]);
    for (const { eval_loss, eval_perplexity } of evaluations) {
      expect(eval_perplexity).toBeCloseTo(Math.exp(eval_loss), 6);
    }
  });

  test('says in the end whether the run has become better than what it began with', async () => {
    const config = tiny().config({
      data: { eval_split: 3 },
      training: { max_steps: 12, learning_rate: 1e-12 },
    });
    const finished = await run(config);
    const [told] = ofType(finished, 'verdict');
    expect(told).toMatchObject({ step: 12, verdict: { kind: 'flat' } });
    expect(finished.events.at(-1)?.type).toBe('completed');
    const { state } = await readTrainerState(
      path.join(config.training.output_dir, 'checkpoint-12'),
    );
    expect(state.learning).toMatchObject({ base: ofType(finished, 'eval')[0]!.eval_loss });
  });

  test('of the rows that are trained gives the loss of a step over all of them', async () => {
    const finished = await run(
      tiny().config({
        data: { eval_dataset_name_or_path: tiny().data },
        training: {
          max_steps: 1,
          per_device_train_batch_size: 7,
          // No step at all would be better, but the first step of a warm-up has rate 0.
          lr_scheduler_type: 'constant_with_warmup',
          warmup_steps: 1,
        },
      }),
    );
    const [step] = ofType(finished, 'step');
    const [evaluation] = ofType(finished, 'eval');
    expect(step!.learning_rate).toBe(0);
    expect(evaluation!.eval_loss).toBeCloseTo(step!.loss, 5);
  });

  test('is without dropout', async () => {
    const evals = async (lora_dropout: number) =>
      ofType(
        await run(
          tiny().config({
            lora: { lora_dropout, init_adapter: (await adapter()).training.output_dir },
            data: { eval_split: 3 },
            training: { max_steps: 1, lr_scheduler_type: 'constant_with_warmup', warmup_steps: 1 },
          }),
        ),
        'eval',
      ).map(({ eval_loss }) => eval_loss);
    expect(await evals(0.5)).toEqual(await evals(0));
  });

  async function adapter() {
    const config = tiny().config({ training: { max_steps: 3 } });
    await run(config);
    return config;
  }
});

test('the limit of checkpoints keeps the newest', async () => {
  const config = tiny().config({ training: { max_steps: 5, save_steps: 1, save_total_limit: 3 } });
  const finished = await run(config);
  expect(ofType(finished, 'checkpoint').map(({ step }) => step)).toEqual([1, 2, 3, 4, 5]);
  const names = (await readdir(config.training.output_dir)).filter((n) => n.startsWith('check'));
  expect(names.toSorted()).toEqual(['checkpoint-3', 'checkpoint-4', 'checkpoint-5']);
});

test('the limit of checkpoints holds when a run is only resumed to its end', async () => {
  const config = tiny().config({ training: { max_steps: 3, save_steps: 1, save_total_limit: 3 } });
  await run(config);
  const training = { ...config.training, save_total_limit: 1, resume_from_checkpoint: 'latest' };
  await run({ ...config, training });
  const names = (await readdir(config.training.output_dir)).filter((n) => n.startsWith('check'));
  expect(names).toEqual(['checkpoint-3']);
});

test('the limit of checkpoints takes those of a branch that was left first, though they went further', async () => {
  const config = tiny().config({ training: { max_steps: 6, save_steps: 1, save_total_limit: 4 } });
  await run(config);
  const { output_dir: folder } = config.training;
  const control = new TrainControl();
  const again: ResolvedConfig = {
    ...config,
    training: {
      ...config.training,
      save_total_limit: 2,
      resume_from_checkpoint: path.join(folder, 'checkpoint-3'),
    },
  };
  const onEvent = ({ type }: TrainEvent): void => {
    if (type === 'step') control.stop();
  };
  await run(again, { control, onEvent });
  const names = (await readdir(folder)).filter((n) => n.startsWith('check'));
  expect(names.toSorted()).toEqual(['checkpoint-3', 'checkpoint-4']);
});

describe('a run whose numbers overflow', () => {
  test('stops with the step named and leaves its last good checkpoint', async () => {
    const config = tiny().config({
      training: {
        learning_rate: 1e30,
        max_steps: 10,
        lr_scheduler_type: 'constant_with_warmup',
        warmup_steps: 2,
        save_steps: 1,
      },
    });
    await expect(run(config)).rejects.toMatchObject({
      code: 'training.not_finite',
      message: expect.stringMatching(/^Step \d+ gave a .*lower training\.learning_rate/),
    });
    const names = await readdir(config.training.output_dir);
    expect(names).not.toContain('adapter_model.safetensors');
    for (const name of names.filter((each) => each.startsWith('checkpoint-'))) {
      const file = path.join(config.training.output_dir, name, 'adapter_model.safetensors');
      for (const data of (await tensorsOf(file)).values()) {
        expect(
          data.every((x) => Number.isFinite(x)),
          name,
        ).toBe(true);
      }
    }
  });

  test('does not call a last step that broke the weights a result', async () => {
    const { training, ...others } = tiny().config({ training: { max_steps: 1 } });
    // More than a float32, which no configuration may say.
    const config = { ...others, training: { ...training, learning_rate: 1e39 } };
    await expect(run(config)).rejects.toMatchObject({
      code: 'training.not_finite',
      message: expect.stringMatching(/^Step 1 gave a weight of (NaN|-?Infinity); /),
    });
    expect((await readdir(config.training.output_dir)).toSorted()).toEqual([
      'events.jsonl',
      'examples.json',
      'run.json',
    ]);
  });
});

test('the configuration that ran stands in the run folder, defaults filled in', async () => {
  const config = tiny().config();
  await run(config);
  const file = path.join(config.training.output_dir, 'run.json');
  expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({ version: 2, config });
});
