import { execFileSync } from 'node:child_process';
import {
  appendFile,
  mkdir,
  readdir,
  rename,
  rm,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises';
import path from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { mapBounded } from '../../../server/map-bounded.ts';
import type { RunSummary } from '../../../server/protocol/runs.ts';
import { RunRegistry } from '../../../server/trainer/run-registry.ts';
import { startedEvent, stepEvent } from '../../support/journal-events.ts';
import { storeState } from '../../support/state-file.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { ObservedManager } from './observed-manager.ts';

const TIME = '2026-01-01T00:00:00.000Z';
const line = (event: object): string => `${JSON.stringify({ time: TIME, ...event })}\n`;

const managers: ObservedManager[] = [];
afterEach(() => {
  for (const { manager } of managers.splice(0)) manager.dispose();
});

/** A window over run folders that were made by `make`, each under its name. */
async function open(
  runs: Readonly<Record<string, (folder: string) => Promise<void>>>,
): Promise<{ readonly observed: ObservedManager; readonly folder: (name: string) => string }> {
  const workspace = await tempFolder();
  const registryFolder = path.join(await tempFolder(), 'runs');
  const registry = new RunRegistry(registryFolder);
  const folder = (name: string): string => path.join(workspace, name);
  for (const [name, make] of Object.entries(runs)) {
    await mkdir(folder(name));
    await make(folder(name));
    await registry.add({ folder: folder(name), configFile: null });
  }
  const observed = new ObservedManager(workspace, registryFolder, 'none');
  managers.push(observed);
  return { observed, folder };
}

async function healthy(folder: string): Promise<void> {
  await writeFile(path.join(folder, 'events.jsonl'), line(startedEvent()) + line(stepEvent()));
}

function named(runs: readonly RunSummary[], name: string): RunSummary | undefined {
  return runs.find((run) => run.name === name);
}

test('a run that cannot be understood is listed as such, beside the others', async () => {
  const put = (name: string, content: string) => (folder: string) =>
    writeFile(path.join(folder, name), content);
  const { observed } = await open({
    healthy,
    wrongShape: put('events.jsonl', '{"type":"started"}\n'),
    endless: put('events.jsonl', 'x'.repeat(4_000_000)),
    deep: put('state.json', '['.repeat(100_000)),
    pipe: async (folder) => {
      if (process.platform === 'win32') return healthy(folder);
      execFileSync('mkfifo', ['events.jsonl', 'state.json', 'run.log'], { cwd: folder });
    },
    link: (folder) => symlink('/dev/zero', path.join(folder, 'events.jsonl')),
  });
  const runs = await observed.manager.list();
  expect(named(runs, 'healthy')).toMatchObject({ problem: null, status: { step: 3 } });
  expect(named(runs, 'wrongShape')?.problem).toBe(
    'events.jsonl line 1 is damaged and was left out.',
  );
  expect(named(runs, 'deep')?.problem).toMatch(/nested more than 128 levels/);
  expect(named(runs, 'pipe')?.problem).toMatch(/a pipe is in its place/);
  expect(named(runs, 'link')?.problem).toMatch(/a link is in its place/);
  expect(named(runs, 'endless')?.problem).toBe('events.jsonl line 1 is damaged and was left out.');
});

test('a journal without end keeps no other run from being listed', async () => {
  const { observed } = await open({
    healthy,
    sparse: async (folder) => {
      const file = path.join(folder, 'events.jsonl');
      await writeFile(file, '');
      await truncate(file, 2 ** 40);
    },
  });
  const runs = await observed.manager.list();
  expect(named(runs, 'healthy')).toMatchObject({ problem: null, status: { step: 3 } });
  expect(named(runs, 'sparse')?.status.state).toBe('failed');
  await vi.waitFor(
    async () => {
      const again = named(await observed.manager.list(), 'sparse');
      expect(again?.problem).toMatch(/of its 1024 GiB only the first is read/);
    },
    { timeout: 25_000 },
  );
});

test('a run that was moved is listed where it is now, and there alone', async () => {
  const { observed, folder } = await open({
    before: async (run) => {
      await healthy(run);
      await writeFile(path.join(run, 'run.json'), '{}');
    },
  });
  expect((await observed.manager.list()).map(({ name }) => name)).toEqual(['before']);
  await rename(folder('before'), folder('after'));
  expect((await observed.manager.list()).map(({ name }) => name)).toEqual(['after']);
});

test('a run that vanished is gone, whatever is asked of it, and told as such once', async () => {
  const { observed, folder } = await open({ healthy, vanishing: healthy });
  await observed.manager.list();
  const run = folder('vanishing');
  await rm(run, { recursive: true });
  const { manager } = observed;
  expect(await manager.look(folder('healthy'))).toMatchObject({ name: 'healthy' });
  for (const ask of [
    () => manager.control(run, 'stop'),
    () => manager.resume(run, 'latest', 'parallel'),
    () => manager.finish(run, 'best'),
    () => manager.annotate(run, { text: 'a note' }),
    () => manager.rename(run, 'other'),
    () => manager.measure(run),
    () => manager.delete(run),
  ]) {
    await expect(ask()).rejects.toMatchObject({
      code: 'output.not_found',
      message: `The run in ${run} is not there any more: it was deleted, moved or renamed.`,
    });
  }
  expect(await manager.look(run)).toBeUndefined();
  expect(observed.gone).toEqual([run]);
});

test('with a run its folder goes, but for one that is open or holds something else', async () => {
  const { observed, folder } = await open({ healthy, mixed: healthy });
  await writeFile(path.join(folder('mixed'), 'mine.txt'), 'x');
  const journalIn = (name: string) => path.join(folder(name), 'events.jsonl');
  const pathsOf = async ({ manager }: ObservedManager, name: string) =>
    (await manager.measure(folder(name))).paths;
  expect(await pathsOf(observed, 'healthy')).toEqual([folder('healthy')]);
  expect(await pathsOf(observed, 'mixed')).toEqual([journalIn('mixed')]);
  const inside = new ObservedManager(folder('healthy'), await tempFolder(), 'none');
  managers.push(inside);
  expect(await pathsOf(inside, 'healthy')).toEqual([journalIn('healthy')]);
});

test('a folder that is open in the editor stays where it is, whatever is done with the run in it', async () => {
  const { folder } = await open({ healthy });
  const run = folder('healthy');
  const inside = new ObservedManager(run, path.join(await tempFolder(), 'runs'), 'none');
  managers.push(inside);
  await expect(inside.manager.rename(run, 'other')).rejects.toThrow(`${run} is open in the editor`);
  expect((await inside.manager.delete(run)).others).toEqual([]);
  expect(await readdir(run)).toEqual([]);
});

test('a checkpoint that is open in the editor stays with its run, under its name', async () => {
  const { folder } = await open({ healthy });
  const run = folder('healthy');
  const checkpoint = path.join(run, 'checkpoint-3');
  await mkdir(checkpoint);
  const inside = new ObservedManager(checkpoint, path.join(await tempFolder(), 'runs'), 'none');
  managers.push(inside);
  const problem = `${checkpoint} is open in the editor`;
  await expect(inside.manager.rename(run, 'other')).rejects.toThrow(problem);
  await expect(inside.manager.measure(run)).rejects.toThrow(problem);
  await expect(inside.manager.delete(run)).rejects.toThrow(problem);
  expect(await readdir(run)).toEqual(['checkpoint-3', 'events.jsonl']);
});

test('a long journal is listed in bounded memory', async () => {
  const { observed } = await open({
    long: async (folder) => {
      const file = path.join(folder, 'events.jsonl');
      await writeFile(file, line(startedEvent({ steps: 50_000 })));
      for (let step = 0; step < 50_000; step += 1000) {
        const steps = Array.from({ length: 1000 }, (_, index) =>
          line(stepEvent({ step: step + index + 1, maxSteps: 50_000 })),
        );
        await appendFile(file, steps.join(''));
      }
    },
  });
  const before = process.memoryUsage().rss;
  const [run] = await observed.manager.list();
  expect(run?.status.step).toBe(50_000);
  expect(process.memoryUsage().rss - before).toBeLessThan(64 * 2 ** 20);
});

describe('a run with a trainer whose journal is damaged', () => {
  test('has a problem', async () => {
    const { observed, folder } = await open({
      run: async (folder) => {
        await storeState(folder, TIME);
        await writeFile(
          path.join(folder, 'events.jsonl'),
          `${line(startedEvent())}{"type":"step"}\n${line(stepEvent())}`,
        );
        await writeFile(path.join(folder, 'run.log'), `${'x'.repeat(400_000)}\nan end\n`);
      },
    });
    const problem = 'events.jsonl line 2 is damaged and was left out.';
    expect(await observed.manager.list()).toMatchObject([{ problem }]);
    await observed.follow(folder('run'));
    expect(observed.entries.map(({ type }) => type)).toEqual(['started', 'step']);
    expect(observed.lines.map(({ text }) => text)).toEqual([
      'Line 1 is too long and was left out.',
      'an end',
    ]);
    expect(await observed.manager.list()).toMatchObject([{ problem }]);
    await expect(observed.manager.control(folder('run'), 'stop')).rejects.toThrow(
      'has no run that is going on',
    );
  });
});

test('a registry entry that is none is passed over', async () => {
  const folder = await tempFolder();
  const registry = new RunRegistry(folder);
  await registry.add({ folder: path.join(folder, 'run'), configFile: null });
  const entries = ['{}', '[', '{"version":1,"folder":"","configFile":null}', '['.repeat(100_000)];
  for (const [index, entry] of entries.entries()) {
    await writeFile(path.join(folder, `${index}.json`), entry);
  }
  await symlink('/dev/zero', path.join(folder, 'zero.json'));
  expect(await registry.list()).toEqual([
    { version: 1, folder: path.join(folder, 'run'), configFile: null },
  ]);
});

test('mapBounded keeps the order, with a few at a time', async () => {
  let running = 0;
  let most = 0;
  const doubled = await mapBounded(
    Array.from({ length: 50 }, (_, index) => index),
    async (item) => {
      running += 1;
      most = Math.max(most, running);
      await new Promise((resolve) => setTimeout(resolve, item % 3));
      running -= 1;
      return item * 2;
    },
  );
  expect(doubled).toEqual(Array.from({ length: 50 }, (_, index) => index * 2));
  expect(most).toBeGreaterThan(1);
  expect(most).toBeLessThanOrEqual(8);
});
