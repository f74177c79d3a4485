import { readFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import type { ResolvedConfig } from '../../../engine/config/schema.ts';
import { TrainControl } from '../../../engine/train/control.ts';
import { bytesOf, comparable, ofType, run } from './tiny-run.ts';
import { useTinyRuns } from './use-tiny-runs.ts';

const tiny = useTinyRuns();

describe('steering', () => {
  test('a stop ends the run after the step, with a checkpoint', async () => {
    const config = tiny().config({ training: { max_steps: 10 } });
    const control = new TrainControl();
    const finished = await run(config, {
      control,
      onEvent: (event) => {
        if (event.type === 'step' && event.step === 3) control.stop();
      },
    });
    const checkpoint = path.join(config.training.output_dir, 'checkpoint-3');
    expect(finished.result).toEqual({ status: 'stopped', steps: 3 });
    expect(finished.events.at(-1)).toEqual({
      type: 'stopped',
      step: 3,
      checkpoint_dir: checkpoint,
    });
    expect(await readdir(config.training.output_dir)).toContain('checkpoint-3');
    expect(await readdir(config.training.output_dir)).not.toContain('adapter_config.json');
  });

  test('a stop at a step that was saved already does not save it again', async () => {
    const control = new TrainControl();
    const finished = await run(tiny().config({ training: { max_steps: 4, save_steps: 2 } }), {
      control,
      onEvent: (event) => {
        if (event.type === 'checkpoint') control.stop();
      },
    });
    expect(ofType(finished, 'checkpoint').map(({ step }) => step)).toEqual([2]);
    expect(finished.result.status).toBe('stopped');
  });

  test('a stop in the last step changes nothing: all is done', async () => {
    const control = new TrainControl();
    const finished = await run(tiny().config(), {
      control,
      onEvent: (event) => {
        if (event.type === 'step' && event.step === 2) control.stop();
      },
    });
    expect(finished.result.status).toBe('completed');
    expect(finished.events.at(-1)).toMatchObject({ type: 'completed', steps: 2 });
  });

  test('a cancel ends the run without one', async () => {
    const config = tiny().config({ training: { max_steps: 10 } });
    const control = new TrainControl();
    const finished = await run(config, {
      control,
      onEvent: (event) => {
        if (event.type === 'step' && event.step === 3) control.stop('cancel');
      },
    });
    expect(finished.result).toEqual({ status: 'cancelled', steps: 3 });
    expect(finished.events.at(-1)).toEqual({ type: 'cancelled', step: 3, checkpoint_dir: null });
    expect((await readdir(config.training.output_dir)).toSorted()).toEqual([
      'events.jsonl',
      'examples.json',
      'run.json',
    ]);
  });

  test('a pause holds the run between two steps and changes nothing of it', async () => {
    const changes = { training: { max_steps: 4 } };
    const [plain, paused] = [tiny().config(changes), tiny().config(changes)];
    let held = 0;
    const control = new TrainControl(() => {
      held++;
      setTimeout(() => control.resume(), 20);
    });
    const expected = await run(plain);
    const finished = await run(paused, {
      control,
      onEvent: (event) => {
        if (event.type === 'step' && event.step === 2) control.pause();
      },
    });
    expect(held).toBe(1);
    expect(comparable(finished)).toEqual(comparable(expected));
    expect(await bytesOf(paused, 'adapter_model.safetensors')).toEqual(
      await bytesOf(plain, 'adapter_model.safetensors'),
    );
  });

  test('a paused run saves a checkpoint when asked, waits on, and can be stopped', async () => {
    const config = tiny().config({ training: { max_steps: 9 } });
    const answers = ['checkpoint', 'stop'] as const;
    let held = 0;
    const control = new TrainControl(() => {
      const answer = answers[held++]!;
      setTimeout(() => control[answer](), 5);
    });
    const finished = await run(config, {
      control,
      onEvent: (event) => {
        if (event.type === 'step' && event.step === 2) control.pause();
      },
    });
    expect(held).toBe(2);
    expect(finished.result).toEqual({ status: 'stopped', steps: 2 });
    expect(ofType(finished, 'checkpoint').map(({ step }) => step)).toEqual([2]);
  });

  test('a checkpoint comes after the step in which it was asked for', async () => {
    const control = new TrainControl();
    const finished = await run(tiny().config({ training: { max_steps: 4 } }), {
      control,
      onEvent: (event) => {
        if (event.type === 'step' && event.step === 2) control.checkpoint();
      },
    });
    expect(ofType(finished, 'checkpoint').map(({ step }) => step)).toEqual([2, 4]);
    expect(finished.result.status).toBe('completed');
  });

  test('a stop ends an evaluation between two of its batches, and the run is saved', async () => {
    const config = tiny().config({
      data: { eval_dataset_name_or_path: tiny().data },
      training: { max_steps: 4, eval_steps: 2 },
    });
    const control = new TrainControl();
    const finished = await run(config, {
      control,
      onEvent: (event) => {
        // Heard when the loop next lets others speak, which is within the evaluation after it.
        if (event.type === 'step' && event.step === 2) setImmediate(() => control.stop());
      },
    });
    expect(finished.result).toEqual({ status: 'stopped', steps: 2 });
    expect(ofType(finished, 'eval').map(({ step }) => step)).toEqual([0]);
    expect(ofType(finished, 'checkpoint').map(({ step }) => step)).toEqual([2]);
  });

  test('a stop ends a sample within its answer', async () => {
    const config = tiny().config({
      training: { max_steps: 4, sample_steps: 2, sample_prompts: ['2+2?', '5*5?'] },
    });
    const control = new TrainControl();
    const finished = await run(config, {
      control,
      onEvent: (event) => {
        if (event.type === 'sample') control.stop();
      },
    });
    expect(finished.result).toEqual({ status: 'stopped', steps: 2 });
    expect(ofType(finished, 'sample').map(({ prompt }) => prompt)).toEqual(['2+2?']);
  });
});

describe('the journal of a run that ends', () => {
  async function lastEntry(config: ResolvedConfig): Promise<unknown> {
    const lines = String(await bytesOf(config, 'events.jsonl'))
      .trimEnd()
      .split('\n');
    return JSON.parse(lines.at(-1)!);
  }

  test('by an error says which', async () => {
    const config = tiny().config({ training: { max_steps: 50, learning_rate: 1e30 } });
    await expect(run(config)).rejects.toMatchObject({ code: 'training.not_finite' });
    expect(await lastEntry(config)).toMatchObject({
      type: 'failed',
      code: 'training.not_finite',
      message: expect.stringContaining('learning_rate'),
    });
  });

  test('at once says that it was cancelled', async () => {
    const config = tiny().config({ training: { max_steps: 9 } });
    const control = new TrainControl();
    let written: unknown;
    await run(config, {
      control,
      onEvent: (event) => {
        if (event.type !== 'step' || event.step !== 3) return;
        control.abandon();
        control.stop('cancel');
        const file = path.join(config.training.output_dir, 'events.jsonl');
        written = JSON.parse(readFileSync(file, 'utf8').trimEnd().split('\n').at(-1)!);
      },
    });
    expect(written).toMatchObject({ type: 'cancelled', step: 3, checkpoint_dir: null });
  });
});
