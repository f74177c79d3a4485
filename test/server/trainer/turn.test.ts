import { expect, test } from 'vitest';
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
