import { beforeEach, expect, test, vi } from 'vitest';
import * as vscode from 'vscode';
import { closeTabsIn, moveTabs } from '../../extension/folder-tabs.ts';
import { Uri } from '../support/vscode-files.ts';
import { shown } from '../support/vscode-window.ts';

vi.mock('vscode', () => import('../support/vscode-window.ts'));

const group = { viewColumn: 2 };

function tab(file: string, state: Partial<vscode.Tab> = {}) {
  const uri = { ...Uri.file(file), scheme: 'file' } as vscode.Uri;
  const input = new vscode.TabInputText(uri);
  return { label: file, input, group, isActive: false, isPreview: false, isDirty: false, ...state };
}

const CARD = tab('/models/mine/README.md', { isActive: true, isPreview: true });
const CONFIG = tab('/models/mine/adapter_config.json');
const EDITED = tab('/models/mine/notes.md', { isDirty: true });
const OTHER = tab('/models/mine-too/README.md');

beforeEach(() => {
  shown.length = 0;
  Object.assign(vscode.window.tabGroups, { all: [{ tabs: [CARD, CONFIG, EDITED, OTHER] }] });
  return () => Object.assign(vscode.window.tabGroups, { all: [] });
});

test('files of a folder are shown under its new name, in front what was in front', async () => {
  await moveTabs({ from: '/models/mine', to: '/models/yours' });
  expect(shown.map(({ to, args }) => [to, (args[0] as { fsPath?: string }).fsPath])).toEqual([
    ['document', '/models/yours/adapter_config.json'],
    ['close', undefined],
    ['document', '/models/yours/README.md'],
    ['close', undefined],
  ]);
  expect(shown[2]?.args[1]).toEqual({ viewColumn: 2, preview: true, preserveFocus: true });
  expect(shown.filter(({ to }) => to === 'close').map(({ args }) => args[0])).toEqual([
    CONFIG,
    CARD,
  ]);
});

test('tabs of a folder that is gone are closed, but for what was not saved', async () => {
  await closeTabsIn('/models/mine');
  expect(shown).toEqual([{ to: 'close', args: [[CARD, CONFIG], true] }]);
});
