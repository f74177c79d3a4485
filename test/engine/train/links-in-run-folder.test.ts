import {
  cp,
  mkdir,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { TrainControl } from '../../../engine/train/control.ts';
import { bytesOf, run } from './tiny-run.ts';
import { useTinyRuns } from './use-tiny-runs.ts';

/** What a run writes goes into its folder, also where something there leads elsewhere. */

const tiny = useTinyRuns();
const STEPS = { max_steps: 4, save_steps: 1 } as const;

let original: Promise<string> | undefined;

/** A copy of the folder of a run of four steps that was stopped after two. */
async function interrupted(): Promise<string> {
  original ??= (async () => {
    const config = tiny().config({ training: STEPS });
    const control = new TrainControl();
    await run(config, {
      control,
      onEvent: (event) => {
        if (event.type === 'step' && event.step === 2) control.stop();
      },
    });
    return config.training.output_dir;
  })();
  const folder = tiny().fresh();
  await cp(await original, folder, { recursive: true });
  return folder;
}

/** A folder outside with a file in it that must stay as it is. */
async function outside(): Promise<{ folder: string; file: string; check: () => Promise<void> }> {
  const folder = tiny().fresh('outside');
  const file = path.join(folder, 'marker');
  await mkdir(folder);
  await writeFile(file, 'untouched');
  return {
    folder,
    file,
    check: async () => {
      expect(await readdir(folder)).toEqual(['marker']);
      expect(await readFile(file, 'utf8')).toBe('untouched');
    },
  };
}

function resume(folder: string) {
  const training = { ...STEPS, output_dir: folder, resume_from_checkpoint: 'latest' };
  return run(tiny().config({ training }));
}

describe.skipIf(process.platform === 'win32')('a link in a run folder', () => {
  test.each([
    'adapter_config.json',
    'adapter_model.safetensors',
    'README.md',
    'state.json',
    '.checkpoint-3.tmp',
    '.adapter.tmp',
  ])('in the place of %s is replaced, or left alone', async (name) => {
    const folder = await interrupted();
    const { file, check } = await outside();
    await symlink(file, path.join(folder, name));
    expect((await resume(folder)).result.status).toBe('completed');
    await check();
  });

  test.each(['checkpoint-3', 'checkpoint-3.partial'])(
    'in the place of the folder %s is replaced',
    async (name) => {
      const folder = await interrupted();
      const { folder: elsewhere, check } = await outside();
      await symlink(elsewhere, path.join(folder, name));
      // What is to be resumed is named, for the newest by its number is the link.
      const checkpoint = path.join(folder, 'checkpoint-2');
      const training = { ...STEPS, output_dir: folder, resume_from_checkpoint: checkpoint };
      const config = tiny().config({ training });
      expect((await run(config)).result.status).toBe('completed');
      await check();
      expect((await bytesOf(config, 'checkpoint-3', 'trainer_state.json')).length).toBeGreaterThan(
        0,
      );
      await expect(readlink(path.join(folder, 'checkpoint-3'))).rejects.toThrow('EINVAL');
    },
  );

  test('in the place of an old checkpoint goes, and not what it leads to', async () => {
    const folder = await interrupted();
    const [checkpoint, moved] = [path.join(folder, 'checkpoint-1'), tiny().fresh('moved')];
    await rename(checkpoint, moved);
    await symlink(moved, checkpoint);
    const before = await readdir(moved);
    const training = {
      ...STEPS,
      output_dir: folder,
      resume_from_checkpoint: 'latest',
      save_total_limit: 1,
    };
    await run(tiny().config({ training }));
    expect(await readdir(moved)).toEqual(before);
    await expect(readlink(checkpoint)).rejects.toThrow('ENOENT');
  });

  test('in the place of run.json is replaced', async () => {
    const folder = await interrupted();
    const { file, check } = await outside();
    await rm(path.join(folder, 'run.json'));
    await symlink(file, path.join(folder, 'run.json'));
    expect((await resume(folder)).result.status).toBe('completed');
    await check();
    expect(JSON.parse(await readFile(path.join(folder, 'run.json'), 'utf8'))).toBeTypeOf('object');
  });

  test('in the place of the journal is refused, before anything is computed', async () => {
    const folder = await interrupted();
    const { file, check } = await outside();
    await rm(path.join(folder, 'events.jsonl'));
    await symlink(file, path.join(folder, 'events.jsonl'));
    await expect(resume(folder)).rejects.toThrow(
      `Cannot write to ${path.join(folder, 'events.jsonl')}: a link is in its place; remove it or choose another output folder.`,
    );
    await check();
    expect(await readdir(folder)).not.toContain('run.lock');
  });
});
