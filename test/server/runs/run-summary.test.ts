import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { RunLock } from '../../../engine/train/run-lock.ts';
import { LineTail } from '../../../server/runs/line-tail.ts';
import { parseLogLine, RunLog } from '../../../server/runs/run-log.ts';
import { initialStatus, NEXT_STATES, RUN_STATES } from '../../../server/runs/run-status.ts';
import { readRunFolder } from '../../../server/runs/run-summary.ts';
import { type RunStateFile, writeStateFile } from '../../../server/runs/state-file.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const SINCE = '2026-01-01T00:00:00.000Z';

async function store(folder: string, change: Partial<RunStateFile> = {}): Promise<void> {
  await writeStateFile(folder, {
    version: 1,
    pid: process.pid,
    address: '/tmp/socket',
    protocolVersion: 1,
    heartbeat: new Date().toISOString(),
    queued: SINCE,
    configFile: '/config.lorafa.json',
    status: { ...initialStatus('running', SINCE), step: 7 },
    ...change,
  });
}

async function journal(folder: string, ...entries: (object | string)[]): Promise<void> {
  const lines = entries.map((entry) =>
    typeof entry === 'string' ? entry : `${JSON.stringify({ time: SINCE, ...entry })}\n`,
  );
  await writeFile(path.join(folder, 'events.jsonl'), lines.join(''));
}

describe('a run with a trainer', () => {
  test('lives as long as its process', async () => {
    const folder = await tempFolder();
    const lock = await RunLock.acquire(folder);
    await store(folder);
    expect(await readRunFolder(folder)).toMatchObject({
      address: '/tmp/socket',
      summary: {
        folder,
        configFile: '/config.lorafa.json',
        isLive: true,
        isSteerable: true,
        problem: null,
        status: { state: 'running', step: 7 },
      },
    });
    await lock.release();
    const heartbeat = '2026-01-01T00:00:20.000Z';
    await store(folder, { heartbeat });
    expect(await readRunFolder(folder)).toMatchObject({
      address: null,
      summary: {
        isLive: false,
        isSteerable: false,
        status: {
          state: 'failed',
          step: 7,
          since: heartbeat,
          reason: { code: 'training.crashed' },
        },
      },
    });
  });

  test('that has not been heard of for a while has a problem', async () => {
    const folder = await tempFolder();
    const lock = await RunLock.acquire(folder);
    await store(folder, { heartbeat: SINCE });
    const report = await readRunFolder(folder);
    expect(report?.summary.problem).toBe('The trainer has not been heard of for a while.');
    await lock.release();
  });

  test('a state file that is damaged counts as none', async () => {
    const folder = await tempFolder();
    await writeFile(
      path.join(folder, 'state.json'),
      '{"version": 1, "status": {"state": "dancing"}}',
    );
    expect(await readRunFolder(folder)).toBeUndefined();
  });
});

describe('a run of the command line', () => {
  const started = { type: 'started', run: { steps: 9, resumedAt: 0, device: 'cpu' } };
  const step = { type: 'step', step: 3, maxSteps: 9, loss: 0.5 };

  test.each<[string, object[], object]>([
    ['completed', [{ type: 'completed', steps: 9 }], { state: 'completed', step: 9 }],
    ['stopped', [{ type: 'stopped', step: 4 }], { state: 'stopped', step: 4 }],
    ['ended without a word', [], { state: 'failed', step: 3, loss: 0.5, maxSteps: 9 }],
  ])('%s', async (_name, ends, status) => {
    const folder = await tempFolder();
    await journal(folder, started, step, ...ends);
    await mkdir(path.join(folder, 'checkpoint-3'));
    expect((await readRunFolder(folder))?.summary).toMatchObject({
      isLive: false,
      checkpoints: [path.join(folder, 'checkpoint-3')],
      status,
    });
  });

  test('goes on while its process does, also after an earlier part', async () => {
    const folder = await tempFolder();
    const lock = await RunLock.acquire(folder);
    await journal(folder, started, step, '{"type":"st');
    const live = { isLive: true, isSteerable: false };
    expect((await readRunFolder(folder))?.summary).toMatchObject({
      ...live,
      status: { state: 'running', step: 3 },
    });
    await journal(folder, started, step, { type: 'stopped', step: 4 });
    expect((await readRunFolder(folder))?.summary).toMatchObject({
      ...live,
      status: { state: 'preparing', step: 4 },
    });
    await lock.release();
  });
});

test('other folders hold no run', async () => {
  const folder = await tempFolder();
  expect(await readRunFolder(folder)).toBeUndefined();
  expect(await readRunFolder(path.join(folder, 'missing'))).toBeUndefined();
});

test('every state can be reached, and every state but the ends can be left', () => {
  const reached = new Set(['queued', ...Object.values(NEXT_STATES).flat()]);
  expect([...reached].toSorted()).toEqual([...RUN_STATES].toSorted());
  const ends = RUN_STATES.filter((state) => NEXT_STATES[state].length === 0);
  expect(ends).toEqual(['completed', 'stopped', 'cancelled', 'failed']);
  for (const state of RUN_STATES.filter((state) => !ends.includes(state))) {
    expect(NEXT_STATES[state]).toContain('failed');
  }
});

test('a log keeps one line for each message, in order', async () => {
  const file = path.join(await tempFolder(), 'run.log');
  const log = await RunLog.open(file);
  void log.add('info', 'state running');
  void log.add('output', 'two\n  lines');
  await log.close();
  const lines: string[] = [];
  for await (const piece of new LineTail(file).read()) lines.push(...piece);
  const time = expect.stringMatching(/^\d{4}-/) as string;
  expect([...lines, 'no form'].map(parseLogLine)).toEqual([
    { time, level: 'info', text: 'state running' },
    { time, level: 'output', text: 'two ⏎ lines' },
    { time: null, level: 'output', text: 'no form' },
  ]);
});
