import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { getRunMetrics } from '../../../server/protocol/runs.ts';
import { runSummary } from '../../support/run-summary.ts';
import { runsWindow } from '../../support/runs-window.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { Uri } from '../../support/vscode-files.ts';
import { shown, user } from '../../support/vscode-window.ts';

vi.mock('vscode', () => import('../../support/vscode-window.ts'));

beforeEach(() => {
  shown.length = 0;
});

// Other tests of the worker ask the same user.
afterEach(() => {
  user.reply = undefined;
});

test('an export says where it is, and opens it for whoever wants that', async () => {
  const target = Uri.file(path.join(await tempFolder(), 'first.csv'));
  user.reply = (to, args) =>
    to === 'saveDialog' ? target : args.find((arg) => (arg as { title?: string }).title === 'Open');
  const { actions } = await runsWindow([]);
  await actions.exportText('step,loss\r\n1,2\r\n', 'first.csv');
  expect(await readFile(target.fsPath, 'utf8')).toBe('step,loss\r\n1,2\r\n');
  const [, told, opened] = shown;
  expect(told?.to).toBe('information');
  expect(told?.args[0]).toBe(`${target.fsPath} was written.`);
  expect(told?.args.slice(1)).toMatchObject([{ title: 'Reveal' }, { title: 'Open' }]);
  expect(opened).toEqual({ to: 'command', args: ['vscode.open', target] });
});

test('an export of metrics says which lines of the journal are not in it', async () => {
  const target = Uri.file(path.join(await tempFolder(), 'a.csv'));
  user.reply = (to) => (to === 'saveDialog' ? target : undefined);
  const run = runSummary({ state: 'completed' }, { folder: '/runs/a' });
  const { actions, server } = await runsWindow([run]);
  let problem: string | null = 'events.jsonl line 2 is damaged and was left out.';
  server.answers[getRunMetrics.method] = () => ({ csv: 'step,loss\r\n', problem });
  await actions.exportMetrics(run);
  expect(await readFile(target.fsPath, 'utf8')).toBe('step,loss\r\n');
  expect(shown.at(-1)).toMatchObject({
    to: 'warning',
    args: [
      `${target.fsPath} was written. Not all is in it: /runs/a/events.jsonl line 2 is damaged and was left out.`,
      { title: 'Reveal' },
      { title: 'Open' },
    ],
  });
  problem = null;
  await actions.exportMetrics(run);
  expect(shown.at(-1)).toMatchObject({
    to: 'information',
    args: [`${target.fsPath} was written.`, { title: 'Reveal' }, { title: 'Open' }],
  });
});

test('an export that no file was chosen for writes and says nothing', async () => {
  user.reply = () => undefined;
  const { actions } = await runsWindow([]);
  await actions.exportText('step,loss\r\n', 'first.csv');
  expect(shown.map(({ to }) => to)).toEqual(['saveDialog']);
});
