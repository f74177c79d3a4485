import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadAdapter } from '../../../engine/lora/load-adapter.ts';
import { readDecoderConfig } from '../../../engine/models/hugging-face-folder.ts';
import { readLock } from '../../../engine/train/run-lock.ts';
import type { RunSummary } from '../../../server/protocol/runs.ts';
import { addressOf } from '../../../server/rpc/socket-name.ts';
import { isFinal } from '../../../server/trainer/run-status.ts';
import { readStateFile } from '../../../server/trainer/state-file.ts';
import type { ObservedManager } from './observed-manager.ts';
import { ENDLESS, type RealRuns, useRealRuns } from './real-runs.ts';

const runs = useRealRuns();

function observe(): ObservedManager {
  return runs().observe();
}

function configured(...changes: Parameters<RealRuns['configured']>) {
  return runs().configured(...changes);
}

function startEndless(observed: ObservedManager): Promise<string> {
  return runs().startEndless(observed);
}

async function end(observed: ObservedManager, folder: string): Promise<RunSummary> {
  await observed.manager.control(folder, 'stop');
  return observed.untilRun(folder, ({ isLive, status }) => !isLive && isFinal(status.state));
}

/** Steps in the journal as far as it was sent. */
function steps({ entries }: ObservedManager): number[] {
  return entries.flatMap((entry) => (entry.type === 'step' ? [entry.step] : []));
}

function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index + 1);
}

async function computePid(observed: ObservedManager): Promise<number> {
  const pid = () =>
    observed.lines.map(({ text }) => /^computing in process (\d+)$/.exec(text)?.[1]).find(Boolean);
  await observed.until(() => pid() !== undefined);
  return Number(pid());
}

/** The processes that end with another one where all its descendants are ended (Linux; elsewhere none). */
async function descendants(parent: number): Promise<number[]> {
  const tasks = await readdir(`/proc/${parent}/task`).catch(() => []);
  const children = tasks.map(async (task) => {
    const text = await readFile(`/proc/${parent}/task/${task}/children`, 'utf8').catch(() => '');
    return text.split(' ').filter(Boolean).map(Number);
  });
  const direct = (await Promise.all(children)).flat();
  return [...direct, ...(await Promise.all(direct.map(descendants))).flat()];
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

test('a run from its configuration to its adapter', async () => {
  const observed = observe();
  const { configFile, folder } = await configured({ max_steps: 3 });
  const started = await observed.manager.start(configFile, 'queue');
  expect(started).toMatchObject({ folder, configFile, name: path.basename(folder) });
  await observed.follow(folder);
  const summary = await observed.untilRun(folder, ({ isLive }) => !isLive);
  expect(summary).toMatchObject({
    isSteerable: false,
    problem: null,
    checkpoints: [{ folder: path.join(folder, 'checkpoint-3'), problem: null }],
    status: { state: 'completed', step: 3, maxSteps: 3, device: 'cpu', reason: null },
  });
  expect(summary.status.memory!.resident).toBeGreaterThan(10e6);
  expect(summary.status.memory!.peak).toBeGreaterThanOrEqual(summary.status.memory!.resident / 2);
  await observed.until(() => observed.entries.at(-1)?.type === 'completed');
  expect(steps(observed)).toEqual([1, 2, 3]);
  // The first states may be over before the manager has connected.
  expect(observed.states(folder).slice(-2)).toEqual(['running', 'completed']);
  const { config } = await readDecoderConfig(runs().tiny.model);
  expect((await loadAdapter(folder, config)).matched).toBe(4);
  expect(await observed.manager.config(folder)).toMatchObject({ training: { max_steps: 3 } });
  expect(await readLock(folder)).toBeUndefined();
});

test('a run goes on without its manager, and another one sees all of it', async () => {
  const first = observe();
  const folder = await startEndless(first);
  first.manager.dispose();
  const { pid } = (await readLock(folder))!;
  expect(await descendants(process.pid)).not.toContain(pid);

  const second = observe();
  const listed = await second.manager.list();
  expect(listed.find((run) => run.folder === folder)).toMatchObject({
    isLive: true,
    isSteerable: true,
    status: { state: 'running' },
  });
  await second.follow(folder);
  const filled = steps(second).length;
  expect(filled).toBeGreaterThanOrEqual(2);
  await second.until(() => steps(second).length > filled + 2);
  expect(steps(second)).toEqual(upTo(steps(second).length));
  expect((await end(second, folder)).status.state).toBe('stopped');
});

test('several managers watch one run, and see each what another one does', async () => {
  const [first, second] = [observe(), observe()];
  const folder = await startEndless(first);
  await second.manager.list();
  await second.manager.control(folder, 'pause');
  await first.untilState(folder, 'paused');
  await first.manager.control(folder, 'resume');
  await second.untilState(folder, 'running');
  await end(first, folder);
  await second.untilState(folder, 'stopped');
});

test('a manager sees the runs that other windows start', async () => {
  const [first, second] = [observe(), observe()];
  await second.manager.list();
  const folder = await startEndless(first);
  await second.untilState(folder, 'running');
  await end(first, folder);
});

describe('steering', () => {
  test('pause, checkpoint, resume, stop; then the run is resumed from there', async () => {
    const observed = observe();
    const folder = await startEndless(observed);
    expect((await observed.manager.control(folder, 'pause')).state).toBe('pausing');
    const { status } = await observed.untilState(folder, 'paused');
    await observed.manager.control(folder, 'checkpoint');
    const saved = path.join(folder, `checkpoint-${status.step}`);
    await observed.untilRun(folder, ({ checkpoints }) =>
      checkpoints.some((checkpoint) => checkpoint.folder === saved),
    );
    await observed.manager.control(folder, 'resume');
    await observed.untilRun(folder, (run) => run.status.step > status.step);
    const stopped = await end(observed, folder);
    expect(stopped.status.state).toBe('stopped');
    const last = path.join(folder, `checkpoint-${stopped.status.step}`);
    expect(stopped.checkpoints.map((checkpoint) => checkpoint.folder)).toEqual([saved, last]);

    await observed.manager.resume(folder, 'latest', 'parallel');
    const goal = stopped.status.step + 2;
    await observed.untilRun(folder, (run) => run.status.step >= goal);
    await observed.until(() => steps(observed).length >= goal);
    expect(steps(observed)).toEqual(upTo(steps(observed).length));
    expect(observed.entries.filter(({ type }) => type === 'started')).toHaveLength(2);
    await end(observed, folder);
  });

  test('cancel saves nothing', async () => {
    const observed = observe();
    const folder = await startEndless(observed);
    await observed.manager.control(folder, 'cancel');
    const { checkpoints, status } = await observed.untilRun(folder, ({ isLive }) => !isLive);
    expect(status.state).toBe('cancelled');
    expect(checkpoints).toEqual([]);
    await expect(observed.manager.control(folder, 'pause')).rejects.toThrow(
      `${folder} has no run that is going on; start or resume it first.`,
    );
  });
});

describe('what goes wrong', () => {
  test('the computing process is killed: the run has failed, and says why', async () => {
    const observed = observe();
    const folder = await startEndless(observed);
    process.kill(await computePid(observed), 'SIGKILL');
    const { status } = await observed.untilRun(folder, ({ isLive }) => !isLive);
    expect(status).toMatchObject({
      state: 'failed',
      reason: { code: 'training.crashed', message: expect.stringContaining('SIGKILL') as string },
    });
    expect((await observe().manager.list()).find((run) => run.folder === folder)?.status).toEqual(
      status,
    );
  });

  test('the trainer itself is killed: the run has failed, and nothing is left running', async () => {
    const observed = observe();
    const folder = await startEndless(observed);
    const pid = await computePid(observed);
    const socket = await addressOf((await readStateFile(folder))!.address!);
    process.kill((await readLock(folder))!.pid, 'SIGKILL');
    const { status } = await observed.untilRun(folder, ({ isLive }) => !isLive);
    expect(status).toMatchObject({
      state: 'failed',
      reason: { message: expect.stringContaining('ended without a word') as string },
    });
    await expect.poll(() => isRunning(pid), { timeout: 10_000 }).toBe(false);
    // The folder can be used again: there is no checkpoint, so the run begins anew.
    await expect(observed.manager.resume(folder, 'latest', 'parallel')).resolves.toBeDefined();
    await observed.untilRun(folder, (run) => run.isLive && run.status.step >= 2);
    expect((await end(observed, folder)).status.state).toBe('stopped');
    await expect(stat(socket)).rejects.toThrow('ENOENT');
  });

  test('data that cannot be used: the run fails with the engine’s own sentence', async () => {
    const observed = observe();
    const file = await runs().tiny.file('bad.jsonl', '{"question": 1}\n');
    const { configFile, folder } = await configured({}, { dataset_name_or_path: file });
    await observed.manager.start(configFile, 'parallel');
    const { status } = await observed.untilRun(folder, ({ isLive }) => !isLive);
    expect(status.state).toBe('failed');
    expect(status.reason!.code).toMatch(/^data\./);
    expect(status.reason!.message).toContain(file);
  });

  test('a folder in use, and mistakes in the configuration, are told at once', async () => {
    const observed = observe();
    const folder = await startEndless(observed);
    const again = observed.manager.start(`${folder}.lorafa.json`, 'parallel');
    await expect(again).rejects.toMatchObject({ code: 'output.in_use' });
    expect((await observed.manager.control(folder, 'checkpoint')).state).toBe('running');
    await end(observed, folder);
    const wrong = await runs().tiny.file('wrong.lorafa.json', '{"modle": {}}');
    await expect(observed.manager.start(wrong, 'parallel')).rejects.toThrow(
      'the section `model` is missing',
    );
  });
});

test('a run of the command line is seen, and is not steered from here', async () => {
  const observed = observe();
  const { configFile, folder } = await configured({ max_steps: ENDLESS });
  let ending: Promise<unknown> | undefined;
  const outcome = runs().built.run(['train', configFile, '--json'], {
    onOutput: (text, run) => {
      if (!text.includes('"step":2') || ending !== undefined) return;
      ending = watchAndInterrupt(run.pid!);
    },
  });
  async function watchAndInterrupt(pid: number): Promise<void> {
    await observed.manager.list();
    const live = await observed.untilState(folder, 'running');
    expect(live).toMatchObject({ isLive: true, isSteerable: false });
    await observed.follow(folder);
    await observed.until(() => steps(observed).length > 2);
    await expect(observed.manager.control(folder, 'stop')).rejects.toThrow('press Ctrl+C');
    process.kill(pid, 'SIGINT');
  }
  expect((await outcome).code).toBe(130);
  await ending;
  await observed.untilRun(folder, ({ isLive, status }) => !isLive && status.state === 'stopped');
  expect(await readFile(path.join(folder, 'events.jsonl'), 'utf8')).toContain('"type":"stopped"');
});

test('the end of a run of the command line is seen by those who do not follow it', async () => {
  const observed = observe();
  const { configFile, folder } = await configured({ max_steps: ENDLESS });
  let listing: Promise<unknown> | undefined;
  const { code } = await runs().built.run(['train', configFile, '--json'], {
    onOutput: (text, run) => {
      if (!text.includes('"step":2') || listing !== undefined) return;
      listing = observed.manager.list().then(() => run.kill('SIGKILL'));
    },
  });
  expect(code).toBeNull();
  await listing;
  expect(await observed.untilState(folder, 'failed')).toMatchObject({
    isLive: false,
    status: { reason: { code: 'training.crashed' } },
  });
});
