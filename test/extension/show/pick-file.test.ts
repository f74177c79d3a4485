import { afterEach, expect, test, vi } from 'vitest';
import { pickFile } from '../../../extension/show/pick-file.ts';
import { Uri } from '../../support/vscode-files.ts';
import { user } from '../../support/vscode-window.ts';

vi.mock('vscode', () => import('../../support/vscode-window.ts'));

// Other tests of the worker ask the same user.
afterEach(() => {
  user.reply = undefined;
});

test('files to choose from stand in the order in which people count, and the chosen one is the answer', async () => {
  const files = ['/run-10', '/run-2', '/b', '/a'].map((file) => Uri.file(file));
  let offered: readonly string[] = [];
  user.reply = (_to, [rows]) => {
    const items = rows as readonly { readonly label: string }[];
    offered = items.map(({ label }) => label);
    return items.at(-1);
  };
  expect(await pickFile(files as never, 'Which one?')).toBe(files[0]);
  expect(offered).toEqual(['/a', '/b', '/run-2', '/run-10']);
  user.reply = () => undefined;
  expect(await pickFile(files as never, 'Which one?')).toBeUndefined();
});
