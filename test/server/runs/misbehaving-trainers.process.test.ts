import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { readLock } from '../../../engine/train/run-lock.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { ObservedManager } from './observed-manager.ts';

const TRAINER = path.join(import.meta.dirname, 'trainers/misbehaving.mjs');

/** A manager whose trainer misbehaves in the way of this name, and the run's configuration. */
async function misbehaving(name: string, answerTimeoutMs = 20_000) {
  const parent = await tempFolder();
  const folder = path.join(parent, name);
  const configFile = path.join(parent, 'run.lorafa.json');
  const config = {
    model: { base_model_name_or_path: './model' },
    data: { dataset_name_or_path: './rows.jsonl' },
    training: { output_dir: folder },
  };
  await writeFile(configFile, JSON.stringify(config));
  const registryFolder = path.join(parent, 'registry');
  const observed = new ObservedManager(parent, registryFolder, TRAINER, answerTimeoutMs);
  onTestFinished(async () => {
    observed.manager.dispose();
    const holder = await readLock(folder);
    if (holder !== undefined) process.kill(holder.pid, 'SIGKILL');
  });
  return { observed, folder, start: () => observed.manager.start(configFile, 'parallel') };
}

test.each([
  ['crash-at-start', 20_000, 'training.crashed', 'its process ended at once (exit code 3)'],
  ['hang-at-start', 500, 'training.no_answer', 'its process did not answer within 0.5 s'],
  ['garbage-at-start', 20_000, 'training.no_answer', 'said something that is not understood'],
  ['refuse', 20_000, 'output.in_use', 'It is in use.'],
])('%s: no run, and the reason is told', async (name, timeout, code, message) => {
  const { observed, folder, start } = await misbehaving(name, timeout);
  await expect(start()).rejects.toMatchObject({
    code,
    message: expect.stringContaining(message) as string,
  });
  expect(observed.states(folder)).toEqual([]);
  expect(await observed.manager.list()).toEqual([]);
});

test.each([
  ['http', 20_000, 'the connection ended'],
  ['hang-up', 20_000, 'does not answer ('],
  ['silent', 3000, 'no answer within 3 s'],
  ['other-run', 20_000, 'another run has its address'],
  ['other-version', 20_000, 'was started by another version of LoRA-FA (protocol 99, here 1)'],
])('%s: the run is shown as it was stored, with the problem', async (name, timeout, problem) => {
  const { observed, folder, start } = await misbehaving(name, timeout);
  expect(await start()).toMatchObject({
    isLive: true,
    isSteerable: false,
    unheard: expect.stringContaining(problem) as string,
    status: { state: 'running', step: 7 },
  });
  await expect(observed.manager.control(folder, 'pause')).rejects.toThrow(problem);
  expect(observed.states(folder)).toEqual(['running']);
});

test('crash-later: the run has failed', async () => {
  const { observed, folder, start } = await misbehaving('crash-later');
  expect(await start()).toMatchObject({ isSteerable: true, unheard: null });
  await expect(observed.manager.control(folder, 'pause')).rejects.toMatchObject({
    code: 'training.no_answer',
  });
  const { status } = await observed.untilRun(folder, ({ isLive }) => !isLive);
  expect(status).toMatchObject({ step: 7, reason: { code: 'training.crashed' } });
  expect(observed.states(folder)).toEqual(['running', 'failed']);
});

test('hang-later: a request has an end, and the run is still shown', async () => {
  const { observed, folder, start } = await misbehaving('hang-later', 3000);
  await start();
  await expect(observed.manager.control(folder, 'pause')).rejects.toThrow('no answer within 3 s');
  expect(observed.states(folder)).toEqual(['running']);
});

test('hurried: an answer that comes with the end of the connection is heard', async () => {
  const { observed, folder, start } = await misbehaving('hurried');
  await start();
  expect(await observed.manager.control(folder, 'stop')).toMatchObject({ state: 'stopped' });
});

test('garbage-later: what is not understood changes nothing', async () => {
  const { observed, folder, start } = await misbehaving('garbage-later');
  await start();
  await expect(observed.manager.control(folder, 'pause')).rejects.toMatchObject({
    code: 'training.no_answer',
  });
  expect(await observed.manager.list()).toMatchObject([
    { folder, isSteerable: true, unheard: null, status: { state: 'running', step: 7 } },
  ]);
  expect(observed.states(folder)).toEqual(['running']);
});
