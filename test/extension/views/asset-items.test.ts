import { afterEach, expect, test, vi } from 'vitest';
import * as vscode from 'vscode';
import { adapterTree } from '../../../extension/models/adapter-tree.ts';
import { adapterItem } from '../../../extension/views/asset-items.ts';
import { foundAdapter } from '../../support/found-adapter.ts';
import { checkpoint, runSummary } from '../../support/run-summary.ts';

vi.mock('vscode', () => import('../../support/vscode-window.ts'));

const RUN = '/home/me/runs/first';
const SAVED = checkpoint({ step: 3, loss: 0.7 });
const FOUND = {
  baseModel: '/cache/models--org--base/snapshots/0123',
  baseName: 'org/base',
  bytes: 845 * 2 ** 10,
  modified: '2025-05-01T10:00:00Z',
};
const RESULT = foundAdapter(RUN, { ...FOUND, isResult: true });
const BELOW = foundAdapter(SAVED.folder, { ...FOUND, checkpointOf: RUN });

afterEach(() => {
  Object.assign(vscode.workspace, { workspaceFolders: undefined });
});

test('a row says first how good an adapter is, then of what rank, on which base, and how old', () => {
  const [branch] = adapterTree([RESULT, BELOW]);
  const runs = [
    runSummary({ state: 'completed', loss: 0.3, evalLoss: 0.4 }, { checkpoints: [SAVED] }),
  ];
  const item = adapterItem(branch!, runs);
  expect(item.description).toBe('eval 0.400 · r=8 · base · May 1, 2025');
  expect(String(item.tooltip).split('\n')).toEqual([
    RUN,
    'The result of the run in this folder',
    'Base model: org/base',
    FOUND.baseModel,
    'Rank: 8',
    'Training loss: 0.300',
    'Evaluation loss: 0.400',
    'Size of the weights: 845 KiB',
    expect.stringMatching(/^Saved: /),
  ]);
  // Without rows that were held out, the training loss; the rest is that of the row above.
  expect(adapterItem(branch!.checkpoints[0]!, runs).description).toBe('loss 0.700 · May 1, 2025');
  // So it is where the run has no result yet.
  expect(adapterItem(adapterTree([BELOW])[0]!, runs).description).toBe('not finished · r=8 · base');
});

test('a checkpoint is called by its step, which a narrow view has room for; its folder is in the tooltip', () => {
  const item = adapterItem(BELOW, []);
  expect(item.label).toBe('step 3');
  expect(String(item.tooltip).split('\n')[0]).toBe(SAVED.folder);
});

test('a base in the workspace is named once', () => {
  const workspaceFolders = [{ name: 'folder', uri: { fsPath: '/folder' } }];
  Object.assign(vscode.workspace, { workspaceFolders });
  const found = foundAdapter('/folder/mine', { baseModel: '/folder/base', baseName: 'base' });
  const lines = String(adapterItem(found, []).tooltip).split('\n');
  expect(lines.filter((line) => line.includes('base'))).toEqual(['Base model: base']);
});

test('two of one name are told apart by where they lie', () => {
  const tree = adapterTree([foundAdapter(RUN, FOUND), foundAdapter('/exports/first', FOUND)]);
  expect(tree.map((row) => String(adapterItem(row, []).description).split(' · ')[0])).toEqual([
    'in /home/me/runs',
    'in /exports',
  ]);
});

test('a checkpoint is not offered another name, nor is what a run writes into', () => {
  const [branch] = adapterTree([RESULT, BELOW]);
  const context = (
    row: Parameters<typeof adapterItem>[0],
    runs: Parameters<typeof adapterItem>[1],
  ) => adapterItem(row, runs).contextValue;
  expect(context(branch!, [])).toBe('adapter canUse canRename');
  expect(context(branch!.checkpoints[0]!, [])).toBe('adapter canUse');
  expect(context(branch!, [runSummary({ state: 'running' })])).toBe('adapter canUse');
  const [unfinished] = adapterTree([BELOW]);
  expect(context(unfinished!, [])).toBe('adapter canRename');
  expect(context(unfinished!, [runSummary({ state: 'running' })])).toBe('adapter');
});

test('a click on a row does not try it', () => {
  expect(adapterItem(RESULT, []).command).toMatchObject({
    command: 'lorafa.clickAdapter',
    arguments: [RUN],
  });
});
