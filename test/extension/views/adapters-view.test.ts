import { expect, test, vi } from 'vitest';
import type * as vscode from 'vscode';
import { TreeItemCollapsibleState } from 'vscode';
import { type FolderMove, movedPath } from '../../../extension/folder-move.ts';
import { AdaptersView } from '../../../extension/views/adapters-view.ts';
import { type AdapterRow, folderOfRow } from '../../../extension/views/asset-items.ts';
import { foundAdapter } from '../../support/found-adapter.ts';
import { shown } from '../../support/vscode-window.ts';

vi.mock('vscode', () => import('../../support/vscode-window.ts'));

const RUN = '/runs/first';
const saved = (step: number) => foundAdapter(`${RUN}/checkpoint-${step}`, { checkpointOf: RUN });

/** A view of adapters that was drawn. */
async function drawn() {
  shown.length = 0;
  let disk = [foundAdapter('/mine'), foundAdapter(RUN), saved(2), saved(1)];
  const view = new AdaptersView(
    async () => disk,
    { runs: [] } as never,
    () => undefined,
  );
  const { treeDataProvider } = shown[0]!.args[1] as vscode.TreeViewOptions<AdapterRow>;
  const rows = async () => (await treeDataProvider.getChildren()) ?? [];
  await rows();
  /** Somebody removes a folder, and the view hears of it at once. */
  const remove = async (folder: string): Promise<void> => {
    disk = disk.filter(({ path }) => !`${path}/`.startsWith(`${folder}/`));
    await rows();
  };
  /** Somebody gives a folder another name. */
  const rename = ({ from, to }: FolderMove): void => {
    const renamed = (folder: string) => movedPath(folder, { from, to });
    disk = disk.map((found) =>
      foundAdapter(renamed(found.path), {
        checkpointOf: found.checkpointOf && renamed(found.checkpointOf),
      }),
    );
    view.follow({ from, to });
  };
  /** Unfolds or folds the row of a folder. */
  const turn = async (how: 'unfolds' | 'folds', folder: string): Promise<void> => {
    const element = (await rows()).find((row) => folderOfRow(row) === folder);
    const emitters = shown[0]!.args[2] as Record<typeof how, vscode.EventEmitter<object>>;
    emitters[how].fire({ element });
  };
  /** Folders of the rows that VS Code is told to unfold. */
  const unfolded = async (): Promise<readonly string[]> => {
    const drawnRows = await rows();
    const items = await Promise.all(drawnRows.map((row) => treeDataProvider.getTreeItem(row)));
    return drawnRows
      .filter((_row, at) => items[at]!.collapsibleState === TreeItemCollapsibleState.Expanded)
      .map(folderOfRow);
  };
  /** Folders of the rows that were selected. */
  const selected = (): readonly string[] =>
    shown.filter(({ to }) => to === 'reveal').map(({ args }) => folderOfRow(args[0] as AdapterRow));
  return { view, remove, rename, turn, unfolded, selected };
}

test.each([
  ['/mine', RUN],
  [RUN, '/mine'],
  [`${RUN}/checkpoint-2`, `${RUN}/checkpoint-1`],
])(
  'when %s goes, one goes on with %s, though the view has drawn without it by then',
  async (folder, next) => {
    const { view, remove, selected } = await drawn();
    await view.whileRowGoes(folder, () => remove(folder));
    expect(selected()).toEqual([next]);
  },
);

test('a row that stays is not left', async () => {
  const { view, selected } = await drawn();
  await view.whileRowGoes('/mine', async () => undefined);
  expect(selected()).toEqual([]);
});

test('checkpoints that are in sight are unfolded again where the list was drawn under the new name before', async () => {
  const { rename, turn } = await drawn();
  await turn('unfolds', RUN);
  rename({ from: RUN, to: '/runs/second' });
  const options = { select: false, focus: false, expand: true };
  const asked = () =>
    shown
      .filter(({ to }) => to === 'reveal')
      .map(({ args: [row, how] }) => [folderOfRow(row as AdapterRow), how]);
  await expect.poll(asked).toEqual([['/runs/second', options]]);
  shown.length = 1;
  await turn('folds', '/runs/second');
  rename({ from: '/runs/second', to: RUN });
  await new Promise((resolve) => setTimeout(resolve));
  expect(asked()).toEqual([]);
});

test('checkpoints that are in sight stay so when their adapter has another name', async () => {
  const { rename, turn, unfolded } = await drawn();
  expect(await unfolded()).toEqual([]);
  await turn('unfolds', RUN);
  rename({ from: RUN, to: '/runs/second' });
  expect(await unfolded()).toEqual(['/runs/second']);
  await turn('folds', '/runs/second');
  rename({ from: '/runs/second', to: RUN });
  expect(await unfolded()).toEqual([]);
});
