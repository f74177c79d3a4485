import { access, cp, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import type { RunSummary } from '../../../server/protocol/runs.ts';
import { isFinal } from '../../../server/trainer/run-status.ts';
import type { ObservedManager } from './observed-manager.ts';
import { useRealRuns } from './real-runs.ts';

/** Runs that are resumed as the editor does it: by what their folder says, wherever that lies. */

const runs = useRealRuns();

function observe(): ObservedManager {
  return runs().observe();
}

type Sections = Readonly<Record<string, object>>;

/** A folder with a configuration as a person writes it, with all that it names below. */
async function workspace(sections: Sections = {}): Promise<string> {
  const folder = runs().tiny.fresh('workspace');
  await cp(runs().tiny.model, path.join(folder, 'model'), { recursive: true });
  await cp(runs().tiny.data, path.join(folder, 'rows.jsonl'));
  await writeFile(path.join(folder, 'text.jsonl'), '{"text":"abc def"}\n{"text":"ghi"}\n');
  const config = {
    model: { base_model_name_or_path: './model' },
    data: { dataset_name_or_path: './rows.jsonl', max_length: 32, ...sections['data'] },
    lora: sections['lora'] ?? { r: 2, target_modules: ['q_proj'] },
    training: {
      output_dir: './runs/first',
      max_steps: 6,
      save_steps: 1,
      save_total_limit: 9,
      ...sections['training'],
    },
    engine: { device: 'cpu', intra_op_num_threads: 1 },
  };
  await writeFile(path.join(folder, 'first.lorafa.json'), JSON.stringify(config));
  return folder;
}

function untilEnded(observed: ObservedManager, folder: string): Promise<RunSummary> {
  return observed.untilRun(folder, ({ isLive, status }) => !isLive && isFinal(status.state));
}

/** Runs a configuration to its end, and takes its last steps and its result away. */
async function interrupted(folder: string, lastStep: number): Promise<string> {
  const observed = observe();
  const run = path.join(folder, 'runs', 'first');
  await observed.manager.start(path.join(folder, 'first.lorafa.json'), 'parallel');
  expect((await untilEnded(observed, run)).status).toMatchObject({ state: 'completed' });
  for (let step = lastStep + 1; step <= 6; step++) {
    await rm(path.join(run, `checkpoint-${step}`), { recursive: true });
  }
  return run;
}

async function resumed(run: string, baseModel?: string): Promise<RunSummary> {
  const observed = observe();
  await observed.manager.resume(run, 'latest', 'parallel', baseModel);
  return untilEnded(observed, run);
}

test.each<[string, Sections]>([
  ['of all weights', { lora: {}, training: { method: 'full', learning_rate: 1e-4 } }],
  ['of plain text', { data: { dataset_name_or_path: './text.jsonl' }, training: { seed: 7 } }],
])('a run %s goes on', async (_, sections) => {
  const run = await interrupted(await workspace(sections), 3);
  expect((await resumed(run)).status).toMatchObject({ state: 'completed', step: 6 });
});

test('a run that began with an adapter goes on, also without it', async () => {
  const first = await interrupted(await workspace(), 6);
  const folder = await workspace({ lora: { init_adapter: first } });
  const run = await interrupted(folder, 3);
  await rm(first, { recursive: true });
  expect((await resumed(run)).status).toMatchObject({ state: 'completed', step: 6 });
});

test('a run goes on where it was moved with all around it, and where it was copied alone', async () => {
  const folder = await workspace();
  await interrupted(folder, 3);
  const copy = path.join(runs().tiny.fresh('copies'), 'copy');
  await cp(path.join(folder, 'runs', 'first'), copy, { recursive: true });
  expect((await resumed(copy)).status).toMatchObject({ state: 'completed', step: 6 });
  const moved = runs().tiny.fresh('moved');
  await rename(folder, moved);
  const run = path.join(moved, 'runs', 'first');
  expect((await resumed(run)).status).toMatchObject({ state: 'completed', step: 6 });
});

test('a base model that is somewhere else is asked for, and taken from there', async () => {
  const folder = await workspace();
  const run = await interrupted(folder, 3);
  const elsewhere = runs().tiny.fresh('model');
  await rename(path.join(folder, 'model'), elsewhere);
  await expect(resumed(run)).rejects.toMatchObject({ code: 'model.not_found' });
  expect((await resumed(run, elsewhere)).status).toMatchObject({ state: 'completed', step: 6 });
});

test('a run that never came to a checkpoint begins anew, with one click', async () => {
  const folder = await workspace();
  const run = await interrupted(folder, 0);
  expect((await resumed(run)).status).toMatchObject({ state: 'completed', step: 6 });
  // And one that never came to its record: killed while it loaded its model.
  await rm(run, { recursive: true });
  await writeFile(path.join(folder, 'rows.jsonl'), '');
  const observed = observe();
  await observed.manager.start(path.join(folder, 'first.lorafa.json'), 'parallel');
  expect((await untilEnded(observed, run)).status.state).toBe('failed');
  await cp(runs().tiny.data, path.join(folder, 'rows.jsonl'));
  expect((await resumed(run)).status).toMatchObject({ state: 'completed', step: 6 });
});

test('a folder that names the configuration of another one starts nothing there', async () => {
  const folder = await workspace();
  const run = await interrupted(folder, 6);
  const state = await readFile(path.join(run, 'state.json'));
  await rm(run, { recursive: true });
  const stranger = path.join(folder, 'stranger');
  await mkdir(stranger);
  await writeFile(path.join(stranger, 'state.json'), state);
  await expect(observe().manager.resume(stranger, 'latest', 'parallel')).rejects.toMatchObject({
    code: 'checkpoint.corrupt',
    message: expect.stringContaining(`writes to ${run}`),
  });
  await expect(access(run)).rejects.toThrow('ENOENT');
});
