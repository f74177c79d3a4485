import { cp, link, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import type { ResolvedConfig } from '../../../engine/config/schema.ts';
import { checkpointBranches, latestCheckpoint } from '../../../engine/train/checkpoint-folders.ts';
import { readRunRecord } from '../../../engine/train/run-record.ts';
import {
  readTrainerState,
  type TrainerState,
  writeTrainerState,
} from '../../../engine/train/trainer-state.ts';
import { stopAfter } from './stop-after.ts';
import { bytesOf, type ConfigChanges, ofType, run } from './tiny-run.ts';
import { useTinyRuns } from './use-tiny-runs.ts';

const tiny = useTinyRuns();

const SIX_STEPS = { max_steps: 6, save_steps: 1, save_total_limit: 9 } as const;

function resuming(config: ResolvedConfig, checkpoint = 'latest'): ResolvedConfig {
  return { ...config, training: { ...config.training, resume_from_checkpoint: checkpoint } };
}

function warningsOf(finished: Awaited<ReturnType<typeof run>>): readonly string[] {
  return ofType(finished, 'warning').map(({ message }) => message);
}

function resumedAt(finished: Awaited<ReturnType<typeof run>>): number {
  return ofType(finished, 'started')[0]!.run.resumedAt;
}

let original: Promise<ResolvedConfig> | undefined;

/** A run of six steps that was stopped after four, with a checkpoint of each; a copy for each test. */
async function fourOfSix(): Promise<ResolvedConfig> {
  original ??= (async () => {
    const config = tiny().config({ training: SIX_STEPS });
    await stopAfter(4, config);
    return config;
  })();
  const config = await original;
  const copy = tiny().config({ training: SIX_STEPS });
  await cp(config.training.output_dir, copy.training.output_dir, { recursive: true });
  return copy;
}

/** Changes one byte of a file. */
async function flip(file: string, at: number): Promise<void> {
  const bytes = await readFile(file);
  bytes[at < 0 ? bytes.length + at : at]! ^= 1;
  await writeFile(file, bytes);
}

async function changeState(folder: string, change: Partial<TrainerState>): Promise<void> {
  const { state, files } = await readTrainerState(folder);
  await writeTrainerState(folder, { ...state, ...change }, files);
}

describe('a checkpoint that is not what was written', () => {
  const damages: [string, (checkpoint: string) => Promise<void>][] = [
    ...['adapter_model.safetensors', 'optimizer.safetensors'].flatMap(
      (name): [string, (checkpoint: string) => Promise<void>][] => [
        [`a bit of ${name}`, (folder) => flip(path.join(folder, name), -5)],
        [
          `the second half of ${name} in zeros`,
          async (folder) => {
            const bytes = await readFile(path.join(folder, name));
            await writeFile(path.join(folder, name), bytes.fill(0, bytes.length / 2));
          },
        ],
        [`${name} is gone`, (folder) => rm(path.join(folder, name))],
      ],
    ),
    [
      'a bit of adapter_config.json',
      (folder) => flip(path.join(folder, 'adapter_config.json'), 30),
    ],
    [
      'a digit of trainer_state.json',
      async (folder) => {
        const file = path.join(folder, 'trainer_state.json');
        const text = await readFile(file, 'utf8');
        await writeFile(file, text.replace(/("num_tokens": )(\d)/, '$17'));
      },
    ],
  ];

  test.each(damages)('%s: the one before is taken, and the run says so', async (_, damage) => {
    const config = await fourOfSix();
    await damage(path.join(config.training.output_dir, 'checkpoint-4'));
    const finished = await run(resuming(config));
    expect(resumedAt(finished)).toBe(3);
    expect(warningsOf(finished)).toEqual([
      expect.stringMatching(
        /^checkpoint-4 was passed over: [^;/]*; the run goes on from checkpoint-3\.$/,
      ),
    ]);
    expect(finished.result.status).toBe('completed');
  });

  test('every byte of the state matters', async () => {
    const folder = path.join((await fourOfSix()).training.output_dir, 'checkpoint-4');
    const file = path.join(folder, 'trainer_state.json');
    const text = await readFile(file, 'utf8');
    // White space outside of strings has no meaning.
    const places = [...text].flatMap((char, index) => (/\s/.test(char) ? [] : [index]));
    for (const place of places.filter((_, index) => index % 7 === 0)) {
      const bytes = Buffer.from(text);
      bytes[place]! ^= 1;
      await writeFile(file, bytes);
      await expect(readTrainerState(folder), `byte ${place}`).rejects.toMatchObject({
        code: 'checkpoint.corrupt',
      });
    }
  });

  test('none is left: the run starts from its beginning, and says so', async () => {
    const config = await fourOfSix();
    const { output_dir: folder } = config.training;
    for (const step of [1, 2, 3, 4]) {
      await flip(path.join(folder, `checkpoint-${step}`, 'optimizer.safetensors'), -1);
    }
    const finished = await run(resuming(config));
    expect(resumedAt(finished)).toBe(0);
    expect(warningsOf(finished)).toHaveLength(5);
    expect(warningsOf(finished).at(-1)).toContain('starts from its beginning');
  });

  test.each<[string, Partial<TrainerState>]>([
    ['a step beyond its epoch', { epoch: 0, step_in_epoch: 900, global_step: 900 }],
    ['a step beyond the run', { epoch: 1, step_in_epoch: 1, global_step: 8 }],
    ['steps that contradict each other', { step_in_epoch: 2 }],
  ])('%s is refused', async (_, change) => {
    const config = await fourOfSix();
    const folder = path.join(config.training.output_dir, 'checkpoint-4');
    await changeState(folder, change);
    await expect(run(resuming(config, folder))).rejects.toMatchObject({
      code: 'checkpoint.corrupt',
      message: expect.stringContaining('comes there'),
    });
  });

  test('one of an earlier version says so', async () => {
    const config = await fourOfSix();
    const folder = path.join(config.training.output_dir, 'checkpoint-4');
    await writeFile(path.join(folder, 'trainer_state.json'), '{"version": 1}');
    await expect(run(resuming(config, folder))).rejects.toMatchObject({
      code: 'checkpoint.corrupt',
      message: expect.stringContaining('an earlier version of LoRA-FA wrote it'),
    });
  });
});

describe('checkpoints that a run may not take the place of', () => {
  test.each<[string, string]>([
    ['an earlier version', '{"version": 1}'],
    ['a later version', '{"version": 99}'],
  ])('those of %s, where there are no others', async (_, state) => {
    const config = await fourOfSix();
    const { output_dir: folder } = config.training;
    for (const step of [1, 2, 3, 4]) {
      await writeFile(path.join(folder, `checkpoint-${step}`, 'trainer_state.json'), state);
    }
    const before = await readdir(folder, { recursive: true });
    await expect(run(resuming(config))).rejects.toMatchObject({
      code: 'checkpoint.corrupt',
      message: expect.stringContaining('version of LoRA-FA wrote it'),
    });
    expect(await readdir(folder, { recursive: true })).toEqual(before);
  });

  test('those of a later version, beside others and beyond the limit', async () => {
    const config = await fourOfSix();
    const { output_dir: folder } = config.training;
    await writeFile(path.join(folder, 'checkpoint-1', 'trainer_state.json'), '{"version": 99}');
    const { training } = resuming(config);
    await run({ ...config, training: { ...training, save_total_limit: 1 } });
    const names = await readdir(folder);
    expect(names.filter((name) => name.startsWith('checkpoint-')).toSorted()).toEqual([
      'checkpoint-1',
      'checkpoint-6',
    ]);
  });

  test('those of another program', async () => {
    const config = tiny().config({ training: { max_steps: 2, save_total_limit: 1 } });
    const { output_dir: folder } = config.training;
    await mkdir(path.join(folder, 'checkpoint-500'), { recursive: true });
    const file = path.join(folder, 'checkpoint-500/trainer_state.json');
    await writeFile(file, '{"epoch": 1.0, "global_step": 500}');
    await expect(run(resuming(config))).rejects.toMatchObject({
      code: 'checkpoint.corrupt',
      message: expect.stringMatching(/no record of a run; choose another .*checkpoint-500 was/),
    });
    expect(await readdir(folder)).toEqual(['checkpoint-500']);
  });

  test('those of another run', async () => {
    const config = await fourOfSix();
    const other = tiny().config({ training: { ...SIX_STEPS, seed: 7 } });
    await stopAfter(5, other);
    const { output_dir: folder } = other.training;
    const before = await readdir(folder);
    const checkpoint = path.join(config.training.output_dir, 'checkpoint-1');
    const into = (output_dir: string): ResolvedConfig => ({
      ...config,
      training: { ...config.training, output_dir, resume_from_checkpoint: checkpoint },
    });
    await expect(run(into(folder))).rejects.toMatchObject({
      code: 'output.not_writable',
      message: expect.stringContaining(`holds a run already, which is not that of ${checkpoint}`),
    });
    expect(await readdir(folder)).toEqual(before);
    // A copy of the run is the same one.
    const copy = await fourOfSix();
    expect((await run(into(copy.training.output_dir))).result.status).toBe('completed');
  });
});

describe('a checkpoint under the name of another', () => {
  test('is passed over by latest', async () => {
    const config = await fourOfSix();
    const { output_dir: folder } = config.training;
    await cp(path.join(folder, 'checkpoint-2'), path.join(folder, 'checkpoint-999'), {
      recursive: true,
    });
    const finished = await run(resuming(config));
    expect(resumedAt(finished)).toBe(4);
    expect(warningsOf(finished)).toEqual([
      expect.stringMatching(/^checkpoint-999 was passed over: .*the checkpoint of step 2 under/),
    ]);
  });

  test('is not taken for that of the other step when the run comes there', async () => {
    const config = await fourOfSix();
    const { output_dir: folder } = config.training;
    const swapped = path.join(folder, 'checkpoint-4');
    await rm(swapped, { recursive: true });
    await cp(path.join(folder, 'checkpoint-2'), swapped, { recursive: true });
    await stopAfter(4, resuming(config, swapped));
    expect((await readTrainerState(swapped)).state.global_step).toBe(4);
  });
});

describe('a run that ended before its first checkpoint', () => {
  async function withoutCheckpoint(): Promise<ResolvedConfig> {
    const config = tiny().config({ training: { max_steps: 4 } });
    await stopAfter(2, config);
    await rm(path.join(config.training.output_dir, 'checkpoint-2'), { recursive: true });
    return config;
  }

  test.each<[string, (config: ResolvedConfig) => ResolvedConfig]>([
    ['can be started', (config) => config],
    ['can be resumed', (config) => resuming(config)],
  ])('%s', async (_, as) => {
    const config = await withoutCheckpoint();
    const finished = await run(as(config));
    expect(resumedAt(finished)).toBe(0);
    const whole = tiny().config({ training: { max_steps: 4 } });
    await run(whole);
    expect(await bytesOf(config, 'adapter_model.safetensors')).toEqual(
      await bytesOf(whole, 'adapter_model.safetensors'),
    );
  });
});

describe('branches', () => {
  /** Resumed from step 2 and stopped after step 3; of the first way, checkpoints 4 to 6 are left. */
  async function branched(): Promise<ResolvedConfig> {
    const config = tiny().config({ training: SIX_STEPS });
    await run(config);
    const { output_dir: folder } = config.training;
    await stopAfter(3, resuming(config, path.join(folder, 'checkpoint-2')));
    return config;
  }

  test('latest is the newest of the branch that the run is on', async () => {
    const config = await branched();
    const { output_dir: folder } = config.training;
    const { lineage } = await readRunRecord(folder);
    const branches = await checkpointBranches(folder, lineage);
    expect(branches.current.map((each) => path.basename(each))).toEqual(
      [1, 2, 3].map((step) => `checkpoint-${step}`),
    );
    expect(branches.abandoned.map((each) => path.basename(each))).toEqual(
      [4, 5, 6].map((step) => `checkpoint-${step}`),
    );
    expect(resumedAt(await run(resuming(config)))).toBe(3);
    // The way to the end has replaced what was left there.
    const now = await readRunRecord(folder);
    expect((await checkpointBranches(folder, now.lineage)).abandoned).toEqual([]);
  });

  test('what was left behind is not missed, whatever is wrong with it', async () => {
    const config = await branched();
    const { output_dir: folder } = config.training;
    await rm(path.join(folder, 'checkpoint-6', 'optimizer.safetensors'));
    const finished = await run(resuming(config));
    expect(resumedAt(finished)).toBe(3);
    expect(warningsOf(finished)).toEqual([]);
  });

  test('also when the branch has no checkpoint of its own yet', async () => {
    const config = await branched();
    const { output_dir: folder } = config.training;
    await rm(path.join(folder, 'checkpoint-3'), { recursive: true });
    const { lineage } = await readRunRecord(folder);
    const { checkpoint } = await latestCheckpoint(folder, lineage);
    expect(path.basename(checkpoint!.folder)).toBe('checkpoint-2');
  });

  test('one that was left can be gone back to', async () => {
    const config = await branched();
    const { output_dir: folder } = config.training;
    await stopAfter(6, resuming(config, path.join(folder, 'checkpoint-5')));
    const { lineage } = await readRunRecord(folder);
    const { current } = await checkpointBranches(folder, lineage);
    expect(current.map((each) => path.basename(each))).toEqual(
      [1, 2, 4, 5, 6].map((step) => `checkpoint-${step}`),
    );
  });
});

test('any number of huge states is looked through in bounded memory', async () => {
  const folder = tiny().fresh();
  await mkdir(folder);
  const state = path.join(folder, 'state');
  await writeFile(state, JSON.stringify({ version: 2, junk: 'x'.repeat(2 ** 20 - 100) }));
  for (let step = 0; step < 200; step++) {
    await mkdir(path.join(folder, `checkpoint-${step}`));
    await link(state, path.join(folder, `checkpoint-${step}`, 'trainer_state.json'));
  }
  const before = process.memoryUsage.rss();
  let peak = before;
  const watch = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage.rss());
  }, 1);
  const branches = await checkpointBranches(folder, [{ session: 'first', from: 0 }]);
  clearInterval(watch);
  expect(branches.abandoned).toHaveLength(200);
  expect(peak - before).toBeLessThan(150 * 2 ** 20);
});

describe('what a checkpoint stands on', () => {
  const adapted = (changes: ConfigChanges = {}): ResolvedConfig =>
    tiny().config({ training: SIX_STEPS, ...changes });

  async function firstAdapter(): Promise<string> {
    const config = tiny().config({ training: { max_steps: 1 } });
    await run(config);
    return config.training.output_dir;
  }

  test.each(['edited', 'gone'])('the first adapter, %s: nothing changes', async (change) => {
    const adapter = await firstAdapter();
    const [whole, parts] = [1, 2].map(() => adapted({ lora: { init_adapter: adapter } }));
    await run(whole!);
    await stopAfter(3, parts!);
    const other = await firstAdapter();
    if (change === 'gone') await rm(adapter, { recursive: true });
    else await flip(path.join(adapter, 'adapter_model.safetensors'), -2);
    const finished = await run(resuming(parts!));
    expect(await bytesOf(parts!, 'adapter_model.safetensors')).toEqual(
      await bytesOf(whole!, 'adapter_model.safetensors'),
    );
    expect(warningsOf(finished)).toEqual(
      change === 'gone' ? [] : [expect.stringContaining('is not the adapter any more')],
    );
    // One that it did not begin with has no effect, which is not passed over in silence.
    const plain = adapted();
    await stopAfter(3, plain);
    const changed = adapted({ lora: { init_adapter: other } });
    await expect(
      run(resuming(changed, path.join(plain.training.output_dir, 'checkpoint-3'))),
    ).rejects.toMatchObject({ code: 'checkpoint.mismatch' });
  });

  test('base weights that changed are refused by content, moved ones are not', async () => {
    const model = tiny().fresh('base');
    await cp(tiny().model, model, { recursive: true });
    const config = adapted({ model: { base_model_name_or_path: model } });
    await stopAfter(3, config);
    const moved = tiny().fresh('moved-base');
    await rename(model, moved);
    const there = { ...config, model: { ...config.model, base_model_name_or_path: moved } };
    await stopAfter(4, resuming(there));
    await flip(path.join(moved, 'model.safetensors'), -2);
    await expect(run(resuming(there))).rejects.toMatchObject({
      code: 'checkpoint.mismatch',
      message: expect.stringContaining('digest of the base weights was'),
    });
  });

  test('another machine changes last bits, which is told', async () => {
    const config = await fourOfSix();
    const folder = path.join(config.training.output_dir, 'checkpoint-4');
    const { state } = await readTrainerState(folder);
    await changeState(folder, { environment: { ...state.environment, device: 'cuda:0' } });
    expect(warningsOf(await run(resuming(config)))).toEqual([
      'From here on the run may differ in its last bits from one that was never interrupted: device was "cuda:0" and is now "cpu".',
    ]);
  });
});

describe('saving', () => {
  test('a stop right after a resume writes nothing twice', async () => {
    const config = await fourOfSix();
    const before = await readTrainerState(path.join(config.training.output_dir, 'checkpoint-4'));
    const control = new (await import('../../../engine/train/control.ts')).TrainControl();
    const stopped = await run(resuming(config), {
      control,
      onEvent: ({ type }) => {
        if (type === 'step') control.stop();
      },
    });
    expect(stopped.result.steps).toBe(5);
    expect(await readTrainerState(path.join(config.training.output_dir, 'checkpoint-4'))).toEqual(
      before,
    );
  });

  test('what a process left unfinished goes with the next start', async () => {
    const config = await fourOfSix();
    const { output_dir: folder } = config.training;
    const gone = 2 ** 30;
    for (const name of [
      `.run.json.${gone}-0123abcd.tmp`,
      `.checkpoint-1.${gone}-0123abcd.tmp/x`,
      'checkpoint-5.partial/optimizer.safetensors',
      '.adapter.tmp/adapter_config.json',
    ]) {
      await cp(tiny().data, path.join(folder, name), { recursive: true });
    }
    await run(resuming(config));
    const names = await readdir(folder);
    expect(names.filter((name) => /^\.|partial/.test(name))).toEqual([]);
  });
});

test('the mean loss of a run is that of all its steps, wherever its sessions began', async () => {
  const config = tiny().config({ training: SIX_STEPS });
  const whole = ofType(await run(config), 'completed')[0]!.train_loss;
  const again = ofType(await run(resuming(config)), 'completed')[0]!;
  expect(again.train_loss).toBe(whole);
  const { output_dir: folder } = config.training;
  const second = await run(resuming(config, path.join(folder, 'checkpoint-2')));
  expect(ofType(second, 'completed')[0]!.train_loss).toBe(whole);
});
