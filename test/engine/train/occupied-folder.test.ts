import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import type { ResolvedConfig } from '../../../engine/config/schema.ts';
import { configSchema } from '../../../engine/config/schema.ts';
import { freeFolder, refuseOccupied } from '../../../engine/train/occupied-folder.ts';
import { writeRunRecord } from '../../../engine/train/run-record.ts';
import { hasSameSettings } from '../../../engine/train/run-settings.ts';
import { tempFolder } from '../../support/temp-folder.ts';

function configOf(
  output: string,
  training: Readonly<Record<string, unknown>> = {},
): ResolvedConfig {
  return configSchema.parse({
    model: { base_model_name_or_path: '/models/base' },
    data: { dataset_name_or_path: '/data/rows.jsonl' },
    training: { output_dir: output, max_steps: 10, ...training },
  });
}

test('the next folder of a name is one that nobody has', async () => {
  const parent = await tempFolder();
  const next = async (name: string): Promise<string> =>
    path.basename(await freeFolder(path.join(parent, name)));
  expect(await next('first')).toBe('first-2');
  await mkdir(path.join(parent, 'first-2'));
  await writeFile(path.join(parent, 'first-3'), '');
  expect(await next('first')).toBe('first-4');
  expect(await next('first-2')).toBe('first-4');
  expect(await next('run-9')).toBe('run-10');
  // A year is no number of a run, nor is a version.
  expect(await next('tuned-2026')).toBe('tuned-2026-2');
  expect(await next('v1.5')).toBe('v1.5-2');
});

test('what runs are reported in does not keep one out', async () => {
  const folder = path.join(await tempFolder(), 'first');
  await mkdir(path.join(folder, 'runs', 'mlruns'), { recursive: true });
  await expect(refuseOccupied(configOf(folder))).resolves.toBeUndefined();
  // The run before it ended before there was anything of it to keep.
  await writeRunRecord(folder, { config: configOf(folder), lineage: [{ session: 'a', from: 0 }] });
  await expect(refuseOccupied(configOf(folder))).resolves.toBeUndefined();
  await writeFile(path.join(folder, 'thesis.tex'), '');
  await expect(refuseOccupied(configOf(folder))).rejects.toThrow('holds a run already');
});

test('a taken folder is refused with the next one, and with what the run that is there allows', async () => {
  const folder = path.join(await tempFolder(), 'first');
  await mkdir(path.join(folder, 'checkpoint-5'), { recursive: true });
  const config = configOf(folder);
  await writeRunRecord(folder, { config, lineage: [{ session: 'a', from: 0 }] });
  await expect(refuseOccupied(config)).rejects.toMatchObject({
    code: 'output.not_writable',
    free: `${folder}-2`,
    canResume: true,
  });
  const other = configOf(folder, { learning_rate: 1 });
  await expect(refuseOccupied(other)).rejects.toMatchObject({ canResume: false });
  await expect(refuseOccupied(configOf(folder, { save_steps: 3 }))).rejects.toMatchObject({
    canResume: true,
  });
  // One that came to its end has nothing left to go on with.
  await writeFile(path.join(folder, 'adapter_config.json'), '{}');
  await expect(refuseOccupied(config)).rejects.toMatchObject({ canResume: false });
});

test('settings that decide steps make another run, others do not', () => {
  const config = configOf('/runs/a');
  expect(hasSameSettings(config, configOf('/runs/b', { logging_steps: 7 }))).toBe(true);
  expect(hasSameSettings(config, configOf('/runs/a', { max_steps: 20 }))).toBe(false);
  expect(hasSameSettings(config, configOf('/runs/a', { seed: 1 }))).toBe(false);
});

test.each([
  'checkpoint-2',
  'Checkpoint-2/logs',
  'checkpoint-2.partial',
  'adapter_model.safetensors',
  'chat_template.jinja',
  'model.safetensors',
  'run.json',
  'run.lock',
  'events.jsonl',
  '.adapter.tmp',
])('reports are refused where the run puts %s', async (name) => {
  const folder = path.join(await tempFolder(), 'first');
  const logging_dir = path.join(folder, name);
  await expect(
    refuseOccupied(configOf(folder, { report_to: ['tensorboard'], logging_dir })),
  ).rejects.toMatchObject({
    code: 'config.contradiction',
    message: `training.logging_dir is ${logging_dir}, and "${name.split('/')[0]}" in training.output_dir is a name that the run uses itself; choose another training.logging_dir, such as ${path.join(folder, 'runs')}.`,
  });
});

test.each(['', 'runs', 'logs/checkpoint-2', '../checkpoint-2', '..checkpoint-2'])(
  'reports may be in the folder %j',
  async (name) => {
    const folder = path.join(await tempFolder(), 'first');
    const logging_dir = path.join(folder, name);
    await expect(
      refuseOccupied(configOf(folder, { report_to: ['tensorboard'], logging_dir })),
    ).resolves.toBeUndefined();
  },
);
