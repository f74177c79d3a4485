import { mkdir, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { LOCK_FILE } from '../../../engine/train/run-lock.ts';
import { RunRegistry } from '../../../server/trainer/run-registry.ts';
import { initialStatus } from '../../../server/trainer/run-status.ts';
import { writeStateFile } from '../../../server/trainer/state-file.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { ScriptedRun, scriptedJob } from './scripted-runs.ts';

test('a run waits for those that were asked for before it', async () => {
  const folder = await tempFolder();
  const start = (name: string, script: readonly string[]) =>
    ScriptedRun.start(scriptedJob(folder, script, { name, whenBusy: 'queue' }));
  const first = await start('first', ['started', 'listen']);
  await first.untilState('running');
  const second = await start('second', ['started', 'listen']);
  const third = await start('third', ['started', 'completed']);
  const { folder: firstFolder } = first.supervisor;
  await second.until(({ waitsFor }) => waitsFor === firstFolder);
  await third.until(({ waitsFor }) => waitsFor !== null);
  expect([second, third].map(({ supervisor }) => supervisor.status.state)).toEqual([
    'queued',
    'queued',
  ]);

  first.supervisor.act('stop');
  await first.ended;
  expect((await second.untilState('running')).waitsFor).toBeNull();
  await third.until(({ waitsFor }) => waitsFor === second.supervisor.folder);
  expect(third.supervisor.status.state).toBe('queued');
  second.supervisor.act('cancel');
  await second.ended;
  expect((await third.ended).state).toBe('completed');
  expect(third.states).toEqual(['queued', 'preparing', 'running', 'completed']);
});

test('a run may go beside others', async () => {
  const folder = await tempFolder();
  const first = await ScriptedRun.start(
    scriptedJob(folder, ['started', 'listen'], { name: 'first' }),
  );
  await first.untilState('running');
  const second = await ScriptedRun.start(
    scriptedJob(folder, ['started', 'completed'], { name: 'second' }),
  );
  expect((await second.ended).state).toBe('completed');
  first.supervisor.act('cancel');
  await first.ended;
});

test('a run that waits can be taken back', async () => {
  const folder = await tempFolder();
  const first = await ScriptedRun.start(
    scriptedJob(folder, ['started', 'listen'], { name: 'first' }),
  );
  const second = await ScriptedRun.start(
    scriptedJob(folder, ['started'], { name: 'second', whenBusy: 'queue' }),
  );
  await second.until(({ waitsFor }) => waitsFor !== null);
  second.supervisor.act('stop');
  expect(await second.ended).toMatchObject({ state: 'cancelled', waitsFor: null });
  expect(second.states).toEqual(['queued', 'cancelled']);
  await first.untilState('running');
  first.supervisor.act('cancel');
  await first.ended;
});

test('nobody waits for a run of another container that has fallen silent', async () => {
  const folder = await tempFolder();
  const job = scriptedJob(folder, ['started', 'completed'], { whenBusy: 'queue' });
  const lost = path.join(folder, 'lost');
  await mkdir(lost);
  const status = initialStatus('running', '2026-01-01T00:00:00.000Z');
  const { since } = status;
  await writeStateFile(lost, {
    version: 1,
    pid: 1,
    address: null,
    protocolVersion: 1,
    heartbeat: since,
    queued: since,
    configFile: null,
    status,
  });
  const mark = { pid: 1, host: 'lost-box', started: '5', boot: 'another', namespace: 'pid:[1]' };
  const lock = path.join(lost, LOCK_FILE);
  await writeFile(lock, JSON.stringify({ ...mark, token: 'abc' }));
  const registry = new RunRegistry(job.registryFolder);
  await registry.add({ folder: lost, configFile: null });

  const waiting = await ScriptedRun.start(job);
  await waiting.until(({ waitsFor }) => waitsFor === lost);
  const halfAMinuteAgo = new Date(Date.now() - 31_000);
  await utimes(lock, halfAMinuteAgo, halfAMinuteAgo);
  expect((await waiting.ended).state).toBe('completed');
});
