import { cp, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { openSafetensors } from '../../../engine/formats/safetensors.ts';
import { writeSafetensors } from '../../../engine/formats/safetensors-writer.ts';
import { readTensor } from '../../../engine/formats/tensor-data.ts';
import { TrainControl } from '../../../engine/train/control.ts';
import { nextLineage } from '../../../engine/train/lineage.ts';
import { RunFolder } from '../../../engine/train/run-folder.ts';
import { RunLock } from '../../../engine/train/run-lock.ts';
import { readLineage } from '../../../engine/train/run-record.ts';
import { readTrainerState } from '../../../engine/train/trainer-state.ts';
import { stopAfter } from './stop-after.ts';
import {
  bytesOf,
  type ConfigChanges,
  comparable,
  type FinishedRun,
  ofType,
  run,
} from './tiny-run.ts';
import { useTinyRuns } from './use-tiny-runs.ts';

const tiny = useTinyRuns();

/** Asks for a stop after a number of steps, reported or not. */
class StopAfterPolls extends TrainControl {
  #left: number;

  constructor(steps: number) {
    super();
    this.#left = steps;
  }

  override async untilWoken(): Promise<void> {
    if (--this.#left === 0) this.stop();
    await super.untilWoken();
  }
}

function resumed(changes: ConfigChanges, outputDir: string, checkpoint = 'latest') {
  const { training } = changes;
  return tiny().config({
    ...changes,
    training: { ...training, output_dir: outputDir, resume_from_checkpoint: checkpoint },
  });
}

/** The folder of a run of six steps that was stopped after three. */
async function stopped(changes: ConfigChanges = {}): Promise<string> {
  const config = tiny().config({ ...changes, training: { max_steps: 6 } });
  await stopAfter(3, config);
  return config.training.output_dir;
}

let original: Promise<string> | undefined;

/** A copy of one such folder. */
async function interrupted(): Promise<string> {
  original ??= stopped();
  const folder = tiny().fresh();
  await cp(await original, folder, { recursive: true });
  return folder;
}

/** The tiny model with its weights as BF16. */
async function bf16Model(): Promise<string> {
  const folder = tiny().fresh('model');
  await cp(tiny().model, folder, { recursive: true });
  const file = path.join(folder, 'model.safetensors');
  const { tensors } = await openSafetensors(file);
  const narrow = [...tensors.values()].map(async (location) => ({
    name: location.name,
    shape: location.shape,
    dtype: 'BF16' as const,
    data: await readTensor(location),
  }));
  await writeSafetensors(file, await Promise.all(narrow));
  return folder;
}

const SIX_STEPS = { training: { max_steps: 6 } };

describe('a run that was stopped and goes on equals one that never stopped', () => {
  test.each(['lorafa', 'lora', 'full'] as const)('%s', async (method) => {
    const changes: ConfigChanges = {
      ...(method !== 'full' && { lora: { lora_dropout: 0.1 } }),
      data: { eval_split: 2 },
      training: {
        method,
        max_steps: 10,
        gradient_accumulation_steps: 2,
        logging_steps: 3,
        lr_scheduler_type: 'cosine',
        warmup_steps: 2,
        weight_decay: 0.1,
        eval_steps: 4,
      },
    };
    const whole = tiny().config(changes);
    const parts = tiny().config(changes);
    const expected = await run(whole);

    // Step 5 is not reported: what was not yet reported of it must come with step 6.
    const first = await run(parts, { control: new StopAfterPolls(5) });
    expect(first.result).toEqual({ status: 'stopped', steps: 5 });
    const second = await run(resumed(changes, parts.training.output_dir));
    expect(ofType(second, 'started')[0]!.run.resumedAt).toBe(5);

    const later = (finished: FinishedRun): unknown[] =>
      comparable(finished).filter((event) => (event as { step?: number }).step! > 5);
    expect(later(second)).toEqual(later(expected));
    const weights = method === 'full' ? 'model.safetensors' : 'adapter_model.safetensors';
    for (const file of [
      [weights],
      ['checkpoint-10', weights],
      ['checkpoint-10', 'optimizer.safetensors'],
    ]) {
      expect(await bytesOf(parts, ...file), file.join('/')).toEqual(await bytesOf(whole, ...file));
    }
    const state = async (config: typeof whole): Promise<unknown> => {
      const folder = path.join(config.training.output_dir, 'checkpoint-10');
      const { state, files } = await readTrainerState(folder);
      return { ...state, files, lineage: state.lineage.length };
    };
    expect(await state(parts)).toEqual({ ...Object(await state(whole)), lineage: 2 });
  });

  test('also where the result is stored with less precision than training has', async () => {
    const folder = await bf16Model();
    const changes: ConfigChanges = {
      model: { base_model_name_or_path: folder },
      training: { method: 'full', max_steps: 4, learning_rate: 1e-4 },
    };
    const [whole, parts] = [tiny().config(changes), tiny().config(changes)];
    await run(whole);
    await stopAfter(2, parts);
    await run(resumed(changes, parts.training.output_dir));
    for (const file of [['model.safetensors'], ['checkpoint-4', 'model.safetensors']]) {
      expect(await bytesOf(parts, ...file)).toEqual(await bytesOf(whole, ...file));
    }
    const dtypes = async (...file: string[]): Promise<Set<string>> => {
      const name = path.join(whole.training.output_dir, ...file, 'model.safetensors');
      return new Set([...(await openSafetensors(name)).tensors.values()].map(({ dtype }) => dtype));
    };
    expect(await dtypes()).toEqual(new Set(['BF16']));
    expect(await dtypes('checkpoint-4')).toEqual(new Set(['F32']));
  });

  test('from any checkpoint that is named, into another folder', async () => {
    const changes = { training: { max_steps: 6, save_steps: 2, save_total_limit: 5 } };
    const whole = tiny().config(changes);
    await run(whole);
    for (const step of [2, 4, 6]) {
      const config = tiny().config({
        training: {
          ...changes.training,
          resume_from_checkpoint: path.join(whole.training.output_dir, `checkpoint-${step}`),
          output_dir: tiny().fresh(),
        },
      });
      const { result } = await run(config);
      expect(result.steps).toBe(6);
      expect(await bytesOf(config, 'adapter_model.safetensors')).toEqual(
        await bytesOf(whole, 'adapter_model.safetensors'),
      );
    }
  });

  test('from a checkpoint elsewhere until there is one in its own folder', async () => {
    const changes = { training: { max_steps: 6, save_steps: 3, save_total_limit: 5 } };
    const whole = tiny().config(changes);
    await run(whole);
    const output_dir = tiny().fresh();
    const into = (resume_from_checkpoint: string): typeof whole =>
      tiny().config({ training: { ...changes.training, output_dir, resume_from_checkpoint } });
    const abandon = async (config: typeof whole): Promise<void> => {
      const control = new TrainControl();
      const onEvent = (): void => control.stop('cancel');
      expect((await run(config, { control, onEvent })).result.status).toBe('cancelled');
    };
    await abandon(into(path.join(whole.training.output_dir, 'checkpoint-3')));
    await abandon(into('latest'));
    const last = await run(into('latest'));
    expect(ofType(last, 'warning')).toEqual([]);
    expect(ofType(last, 'started')[0]!.run.resumedAt).toBe(3);
    expect(await bytesOf(into('latest'), 'adapter_model.safetensors')).toEqual(
      await bytesOf(whole, 'adapter_model.safetensors'),
    );
  });

  test('never from where it was before another process went on with it', async () => {
    const folder = await interrupted();
    const config = resumed(SIX_STEPS, folder);
    const way = await readLineage(folder);
    await run(config);
    const record = { config, lineage: nextLineage() };
    await expect(RunFolder.open(record, { isLocked: false, way })).rejects.toMatchObject({
      code: 'output.in_use',
      message: expect.stringContaining('went on with the run'),
    });
    expect(await readLineage(folder)).not.toEqual(record.lineage);
    await (await RunLock.acquire(folder)).release();
  });

  test('after files were moved', async () => {
    const folder = await interrupted();
    const moved = tiny().fresh('moved');
    await rename(folder, moved);
    const data = await tiny().file('moved-rows.jsonl', await readFile(tiny().data));
    const config = resumed({ ...SIX_STEPS, data: { dataset_name_or_path: data } }, moved);
    expect((await run(config)).result.status).toBe('completed');
  });
});

describe('what may change on the way', () => {
  test.each<[string, ConfigChanges]>([
    ['reports', { training: { max_steps: 6, logging_steps: 2 } }],
    ['checkpoints', { training: { max_steps: 6, save_steps: 1, save_total_limit: 1 } }],
    ['memory', { training: { max_steps: 6, gradient_checkpointing: 'layer' } }],
    ['threads', { ...SIX_STEPS, engine: { intra_op_num_threads: 2 } }],
    [
      'how the number of steps is said',
      { training: { max_steps: undefined, num_train_epochs: 6 / 7 } },
    ],
  ])('%s', async (_, changes) => {
    const folder = await interrupted();
    expect((await run(resumed(changes, folder))).result.steps).toBe(6);
  });
});

describe('a run that would not be the same is refused and names what differs', () => {
  test.each<[string, ConfigChanges, string]>([
    [
      'learning rate',
      { training: { max_steps: 6, learning_rate: 0.5 } },
      'training.learning_rate was 0.01 and is now 0.5',
    ],
    ['rank', { ...SIX_STEPS, lora: { r: 4 } }, 'lora.r was 2 and is now 4'],
    ['number of steps', { training: { max_steps: 8 } }, 'number of steps was 6 and is now 8'],
    ['seed', { training: { max_steps: 6, seed: 1 } }, 'training.seed was 42 and is now 1'],
    [
      'method',
      { training: { max_steps: 6, method: 'lora' } },
      'training.method was "lorafa" and is now "lora"',
    ],
    [
      'rows that are held out',
      { ...SIX_STEPS, data: { eval_split: 2 } },
      'data.eval_split was not set and is now 2',
    ],
  ])('%s', async (_, changes, words) => {
    const folder = await interrupted();
    const before = await readdir(folder);
    const journal = await readFile(path.join(folder, 'events.jsonl'));
    await expect(run(resumed(changes, folder))).rejects.toMatchObject({
      code: 'checkpoint.mismatch',
      message: expect.stringContaining(words),
    });
    expect(await readdir(folder)).toEqual(before);
    expect(await readFile(path.join(folder, 'events.jsonl'))).toEqual(journal);
  });

  test('rows that were edited, even to the same length', async () => {
    const data = await tiny().file('edited.jsonl', await readFile(tiny().data));
    const changes = { ...SIX_STEPS, data: { dataset_name_or_path: data } };
    const folder = await stopped(changes);
    await tiny().file('edited.jsonl', String(await readFile(data)).replace('Paris', 'Lyons'));
    await expect(run(resumed(changes, folder))).rejects.toMatchObject({
      code: 'checkpoint.mismatch',
      message: expect.stringContaining('digest of the training data'),
    });
  });
});

describe('checkpoints that are not whole', () => {
  test('and never got their name are passed over', async () => {
    const folder = await interrupted();
    await mkdir(path.join(folder, 'checkpoint-5.partial'));
    await writeFile(path.join(folder, 'checkpoint-5.partial', 'trainer_state.json'), '{}');
    const finished = await run(resumed(SIX_STEPS, folder));
    expect(ofType(finished, 'started')[0]!.run.resumedAt).toBe(3);
  });

  test.each<[string, (checkpoint: string) => Promise<void>, string]>([
    [
      'a state that is no JSON',
      (folder) => writeFile(path.join(folder, 'trainer_state.json'), '{"version": 1, "glo'),
      'trainer_state.json cannot be read',
    ],
    [
      'a state that lacks a field',
      (folder) => writeFile(path.join(folder, 'trainer_state.json'), '{"version": 2}'),
      'trainer_state.json is broken',
    ],
    [
      'no state',
      (folder) => rm(path.join(folder, 'trainer_state.json')),
      'trainer_state.json is missing;',
    ],
    [
      'no moments',
      (folder) => rm(path.join(folder, 'optimizer.safetensors')),
      'optimizer.safetensors',
    ],
    [
      'moments that are cut',
      async (folder) => {
        const file = path.join(folder, 'optimizer.safetensors');
        await writeFile(file, (await readFile(file)).subarray(0, -10));
      },
      'optimizer.safetensors',
    ],
    [
      'weights of another adapter',
      async (folder) => {
        const other = tiny().config({ lora: { r: 4 } });
        await run(other);
        const bytes = await bytesOf(other, 'adapter_model.safetensors');
        await writeFile(path.join(folder, 'adapter_model.safetensors'), bytes);
      },
      'adapter_model.safetensors has ',
    ],
  ])('%s is refused where it is named', async (_, damage, words) => {
    const folder = await interrupted();
    const checkpoint = path.join(folder, 'checkpoint-3');
    await damage(checkpoint);
    const before = await readdir(folder);
    await expect(run(resumed(SIX_STEPS, folder, checkpoint))).rejects.toMatchObject({
      code: 'checkpoint.corrupt',
      message: expect.stringContaining(words),
    });
    expect(await readdir(folder)).toEqual(before);
  });

  test('there is none at all', async () => {
    const config = resumed(SIX_STEPS, tiny().fresh());
    await expect(run(config)).rejects.toMatchObject({
      code: 'checkpoint.corrupt',
      message: expect.stringContaining(`no checkpoint in ${config.training.output_dir}`),
    });
    await expect(readdir(config.training.output_dir)).rejects.toThrow('ENOENT');
  });
});

describe('an output folder that is taken', () => {
  test('by a run is refused unless that run is to go on', async () => {
    const folder = await interrupted();
    const before = await readdir(folder);
    await expect(run(tiny().config({ training: { output_dir: folder } }))).rejects.toMatchObject({
      code: 'output.not_writable',
      message: expect.stringContaining('holds a run already'),
    });
    expect(await readdir(folder)).toEqual(before);
  });

  test('by other files is refused, also when resuming', async () => {
    const folder = tiny().fresh();
    await mkdir(folder);
    await writeFile(path.join(folder, 'thesis.tex'), 'precious');
    for (const resume_from_checkpoint of [undefined, await checkpoint()]) {
      const config = tiny().config({
        training: {
          max_steps: 6,
          output_dir: folder,
          ...(resume_from_checkpoint !== undefined && { resume_from_checkpoint }),
        },
      });
      await expect(run(config)).rejects.toMatchObject({
        code: 'output.not_writable',
        message: expect.stringContaining('holds other files (thesis.tex'),
      });
    }
    expect(await readdir(folder)).toEqual(['thesis.tex']);
  });

  async function checkpoint(): Promise<string> {
    return path.join(await interrupted(), 'checkpoint-3');
  }
});
