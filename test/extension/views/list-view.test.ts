import { afterEach, expect, test, vi } from 'vitest';
import type * as vscode from 'vscode';
import { viewRow } from '../../../extension/show/rows.ts';
import { ListView } from '../../../extension/views/list-view.ts';
import { shown, user } from '../../support/vscode-window.ts';

vi.mock('vscode', () => import('../../support/vscode-window.ts'));

afterEach(() => {
  user.seesViews = true;
});

interface Thing {
  readonly name: string;
  readonly size: number;
  /** Nothing that is to be seen. */
  readonly hidden?: string;
  readonly parts?: readonly Thing[];
}

/** A view of things, and how often VS Code was told to draw it anew. */
function viewOf(...first: readonly Thing[]) {
  shown.length = 0;
  let disk: readonly Thing[] = first;
  let reads = 0;
  const unfolded = new Set<string>();
  const failures: unknown[] = [];
  const view = new ListView<Thing>('things', {
    read: async () => {
      reads += 1;
      const found = disk;
      // The disk takes its time.
      await new Promise((resolve) => setTimeout(resolve, 5));
      if (found.length === 0) throw new Error('no disk');
      return found;
    },
    draw: ({ name, size }) =>
      viewRow({
        label: name,
        description: `${size}`,
        collapsibleState: unfolded.has(name) ? 2 : 1,
      }),
    onFailure: (error) => failures.push(error),
    childrenOf: ({ parts = [] }) => parts,
  });
  let draws = 0;
  view.onDidChangeTreeData(() => {
    draws += 1;
  });
  const { treeDataProvider } = shown[0]!.args[1] as vscode.TreeViewOptions<Thing>;
  return {
    view,
    unfolded,
    failures,
    rows: async () => (await treeDataProvider.getChildren()) ?? [],
    put: (...things: readonly Thing[]) => {
      disk = things;
    },
    reads: () => reads,
    draws: () => draws,
    /** All that was asked for is done. */
    settled: () => new Promise((resolve) => setTimeout(resolve, 40)),
  };
}

const A: Thing = { name: 'a', size: 1, parts: [{ name: 'part', size: 1 }] };
const B: Thing = { name: 'b', size: 2 };

test('is not drawn anew where nothing looks different, so that its rows stay what a menu was opened for', async () => {
  const { view, rows, put, unfolded, draws, settled } = viewOf(A, B);
  await rows();
  view.refresh();
  put({ ...A }, { ...B });
  view.refresh();
  await settled();
  // Somebody unfolds a row.
  unfolded.add('a');
  view.refresh();
  await settled();
  expect(draws()).toBe(0);
});

test.each<[string, readonly Thing[]]>([
  ['another row', [A, B, { name: 'c', size: 3 }]],
  ['another order', [B, A]],
  ['another text', [A, { ...B, size: 9 }]],
  ['something else below a row', [{ ...A, parts: [{ name: 'part', size: 7 }] }, B]],
  ['a row that stands for something else', [A, { ...B, hidden: 'x' }]],
])('is drawn anew for %s, by what was read before', async (_what, things) => {
  const { view, rows, put, reads, draws, settled } = viewOf(A, B);
  await rows();
  put(...things);
  view.refresh();
  await settled();
  expect(draws()).toBe(1);
  const before = reads();
  // VS Code waits for nothing: until it has the rows, a command of a menu is called without one.
  expect(await rows()).toEqual(things);
  expect(reads()).toBe(before);
  view.refresh();
  await settled();
  expect(draws()).toBe(1);
});

test('is drawn as it is in the end, however fast changes follow each other', async () => {
  const { view, rows, put, settled } = viewOf(A);
  await rows();
  put(B);
  view.refresh();
  await settled();
  // Before VS Code has drawn that, it is as it was.
  put(A);
  view.refresh();
  view.refresh();
  await settled();
  expect(await rows()).toEqual([A]);
});

test('reads nothing while nobody sees it, or has ever seen it', async () => {
  const { view, rows, put, reads, draws, settled } = viewOf(A);
  view.refresh();
  await settled();
  expect([reads(), draws()]).toEqual([0, 1]);
  await rows();
  user.seesViews = false;
  put(B);
  view.refresh();
  await settled();
  expect([reads(), draws()]).toEqual([1, 2]);
  user.seesViews = true;
  expect(await rows()).toEqual([B]);
});

test('is empty where reading failed, and comes back', async () => {
  const { view, rows, put, failures, settled } = viewOf(A);
  await rows();
  put();
  view.refresh();
  await settled();
  expect(await rows()).toEqual([]);
  expect(failures).toHaveLength(1);
  put(A);
  view.refresh();
  await settled();
  expect(await rows()).toEqual([A]);
});
