import { expect, test, vi } from 'vitest';
import type * as vscode from 'vscode';
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
  await treeDataProvider.getChildren();
  /** Somebody removes a folder, and the view hears of it at once. */
  const remove = async (folder: string): Promise<void> => {
    disk = disk.filter(({ path }) => !`${path}/`.startsWith(`${folder}/`));
    await treeDataProvider.getChildren();
  };
  /** Folders of the rows that were selected. */
  const selected = (): readonly string[] =>
    shown.filter(({ to }) => to === 'reveal').map(({ args }) => folderOfRow(args[0] as AdapterRow));
  return { view, remove, selected };
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
