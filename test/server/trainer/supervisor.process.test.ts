import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { readLock } from '../../../engine/train/run-lock.ts';
import { readRunFolder } from '../../../server/runs/run-summary.ts';
import { readStateFile } from '../../../server/trainer/state-file.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { type Script, ScriptedRun, scriptedJob } from './scripted-runs.ts';

async function start(...script: Script): Promise<ScriptedRun> {
  return ScriptedRun.start(scriptedJob(await tempFolder(), script));
}

async function logOf({ supervisor }: ScriptedRun): Promise<string[]> {
  const text = await readFile(path.join(supervisor.folder, 'run.log'), 'utf8');
  return text
    .trimEnd()
    .split('\n')
    .map((line) => line.replace(/^\S+ /, ''));
}

describe('the end of the computing process', () => {
  test('a completed run', async () => {
    const run = await start('progress', 'started', 'step', 'warning', 'checkpoint', 'completed');
    const status = await run.ended;
    expect(run.states).toEqual(['queued', 'preparing', 'running', 'completed']);
    expect(status).toMatchObject({
      state: 'completed',
      reason: null,
      progress: null,
      step: 1,
      maxSteps: 4,
      loss: 1,
      device: 'cpu',
      memory: { resident: 1000, peak: 2000 },
      checkpoint: '/run/checkpoint-1',
    });
    expect(await readStateFile(run.supervisor.folder)).toMatchObject({ status, address: null });
    expect(await readLock(run.supervisor.folder)).toBeUndefined();
    expect(await logOf(run)).toEqual([
      `info state queued (process ${process.pid})`,
      'info state preparing',
      expect.stringMatching(/^info computing in process \d+$/),
      'info state running',
      'info computing on cpu (float32)',
      'warning two rows ⏎ were cut',
      'info checkpoint /run/checkpoint-1',
      'info state completed',
    ]);
  });

  const unfinished = ['queued', 'preparing', 'failed'];
  const midRun = ['queued', 'preparing', 'running', 'failed'];

  test.each<[string, Script, readonly string[], string, RegExp]>([
    ['an error', ['progress', 'failed'], unfinished, 'data.empty', /^There is no row\.$/],
    ['a crash at the start', ['exit'], unfinished, 'training.crashed', /crashed \(exit code 3\)/],
    [
      'a crash of native code in the middle',
      ['started', 'step', 'abort'],
      midRun,
      'training.crashed',
      /crashed \(SIGABRT, last output: terminate called after throwing\)/,
    ],
    [
      'a kill, as by the system without memory',
      ['started', 'step', 'killed'],
      midRun,
      'training.crashed',
      /ended from outside \(SIGKILL\).*memory runs out/,
    ],
    [
      'garbage, then an end without a word',
      ['started', 'garbage', 'exit'],
      midRun,
      'training.crashed',
      /last output: Not understood: \{"garbage":true\}/,
    ],
  ])('%s', async (_name, script, states, code, message) => {
    const run = await start(...script);
    const status = await run.ended;
    expect(run.states).toEqual(states);
    expect(status.reason).toEqual({ code, message: expect.stringMatching(message) as string });
    // The same for everyone who looks at the folder later.
    const report = await readRunFolder(run.supervisor.folder);
    expect(report).toMatchObject({ trainer: null, summary: { status, isLive: false } });
  });

  test('messages that come twice or out of turn change no state', async () => {
    const run = await start('step', 'held', 'started', 'started', 'held', 'completed');
    await run.ended;
    expect(run.states).toEqual(['queued', 'preparing', 'running', 'completed']);
  });
});

describe('steering', () => {
  test('pause and resume', async () => {
    const run = await start('started', 'step', 'listen');
    await run.until(({ step }) => step === 1);
    expect(run.supervisor.act('pause').state).toBe('pausing');
    await run.untilState('paused');
    expect(run.supervisor.act('pause').state).toBe('paused');
    expect(run.supervisor.act('resume').state).toBe('running');
    const { etaSeconds } = await run.until(({ step }) => step === 2);
    expect(etaSeconds).toBeGreaterThan(0);
    run.supervisor.act('stop');
    await run.ended;
    expect(run.states).toEqual([
      'queued',
      'preparing',
      'running',
      'pausing',
      'paused',
      'running',
      'stopping',
      'stopped',
    ]);
  });

  test('a pause that is taken back before the end of the step', async () => {
    const run = await start('started', 'listen');
    await run.untilState('running');
    run.supervisor.act('pause');
    run.supervisor.act('resume');
    run.supervisor.act('pause');
    await run.untilState('paused');
    run.supervisor.act('cancel');
    await run.ended;
    expect(run.states.slice(3)).toEqual([
      'pausing',
      'running',
      'pausing',
      'paused',
      'stopping',
      'cancelled',
    ]);
  });

  test('stop while paused saves', async () => {
    const run = await start('started', 'listen');
    await run.untilState('running');
    run.supervisor.act('pause');
    await run.untilState('paused');
    run.supervisor.act('checkpoint');
    await run.until(({ checkpoint }) => checkpoint !== null);
    run.supervisor.act('stop');
    expect((await run.ended).state).toBe('stopped');
  });

  test.each(['stop', 'cancel'] as const)('%s during the preparation ends it', async (action) => {
    const run = await start('progress', 'hang');
    await run.until(({ progress }) => progress !== null);
    expect(() => run.supervisor.act('pause')).toThrow(
      'The run cannot do "pause" while it is preparing: try again when its first step has started.',
    );
    run.supervisor.act(action);
    expect(await run.ended).toMatchObject({ state: 'cancelled', reason: null, progress: null });
    expect(run.states).toEqual(['queued', 'preparing', 'cancelled']);
  });

  test('a computing process that hangs: requests are answered, two cancels end it', async () => {
    const run = await start('started', 'step', 'hang');
    const { heard } = await run.until(({ step }) => step === 1);
    expect(Date.parse(heard!)).toBeLessThanOrEqual(Date.now());
    expect(run.supervisor.act('pause').state).toBe('pausing');
    expect(run.supervisor.act('cancel').state).toBe('stopping');
    expect(() => run.supervisor.act('resume')).toThrow('while it is stopping: it is about to end');
    run.supervisor.act('cancel');
    expect((await run.ended).state).toBe('cancelled');
    expect(run.states.slice(2)).toEqual(['running', 'pausing', 'stopping', 'cancelled']);
  });

  test('a run that has ended cannot be steered', async () => {
    const run = await start('started', 'completed');
    await run.ended;
    expect(() => run.supervisor.act('stop')).toThrow('while it is completed: it has ended');
  });
});

describe('the run folder', () => {
  test('belongs to one trainer at a time', async () => {
    const folder = await tempFolder();
    const first = await ScriptedRun.start(scriptedJob(folder, ['started', 'listen']));
    await first.untilState('running');
    await expect(ScriptedRun.start(scriptedJob(folder, ['started']))).rejects.toMatchObject({
      code: 'output.in_use',
    });
    first.supervisor.act('stop');
    await first.ended;
    const second = await ScriptedRun.start(scriptedJob(folder, ['started', 'completed']));
    expect((await second.ended).state).toBe('completed');
  });

  test('is left alone when it holds other things', async () => {
    const folder = await tempFolder();
    await mkdir(path.join(folder, 'run'));
    await writeFile(path.join(folder, 'run/notes.txt'), '');
    await expect(ScriptedRun.start(scriptedJob(folder, ['started']))).rejects.toMatchObject({
      code: 'output.not_writable',
    });
    expect(await readRunFolder(path.join(folder, 'run'))).toBeUndefined();
  });

  test('is let go when the run cannot be remembered', async () => {
    const folder = await tempFolder();
    const registryFolder = path.join(folder, 'file');
    await writeFile(registryFolder, '');
    const job = { ...scriptedJob(folder, ['started']), registryFolder };
    await expect(ScriptedRun.start(job)).rejects.toMatchObject({ code: 'output.not_writable' });
    const run = path.join(folder, 'run');
    expect(await readLock(run)).toBeUndefined();
    expect((await readRunFolder(run))?.summary.status).toMatchObject({
      state: 'failed',
      reason: { code: 'output.not_writable' },
    });
  });
});
