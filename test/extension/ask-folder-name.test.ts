import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { expect, test, vi } from 'vitest';
import * as vscode from 'vscode';
import { askFolderName } from '../../extension/ask-folder-name.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { shown, user } from '../support/vscode-window.ts';

vi.mock('vscode', () => import('../support/vscode-window.ts'));

test('what is wrong with a name is said while it is typed', async () => {
  const folder = path.join(await tempFolder(), 'mine');
  await mkdir(path.join(path.dirname(folder), 'taken'));
  user.answer = ' mine ';
  expect(await askFolderName(folder, 'A new name')).toBeUndefined();
  const { validateInput } = shown.at(-1)!.args[0] as {
    validateInput(text: string): Promise<string | undefined>;
  };
  expect(await validateInput('mine')).toBeUndefined();
  expect(await validateInput('yours')).toBeUndefined();
  expect(await validateInput('taken')).toContain('something of the name "taken" beside it');
  expect(await validateInput('a/b')).toBe('A name cannot hold /; leave it out.');
  expect(await validateInput('con')).toContain('a device on Windows');
  expect(await validateInput(' ')).toBe('A folder needs a name.');
  user.answer = ' yours ';
  expect(await askFolderName(folder, 'A new name')).toBe('yours');
});

test.each(['', '.hidden', 'x'.repeat(201), 'a/b', 'a\tb', 'con', 'taken'])(
  'what is wrong with %j is said in the language of the user',
  async (name) => {
    const folder = path.join(await tempFolder(), 'mine');
    await mkdir(path.join(path.dirname(folder), 'taken'));
    const english = vscode.l10n.t;
    const translate = vi
      .spyOn(vscode.l10n, 't')
      .mockImplementation(
        ((text: string, value: string) =>
          `${english(text, value)} (in Latin)`) as typeof vscode.l10n.t,
      );
    await askFolderName(folder, 'A new name');
    const { validateInput } = shown.at(-1)!.args[0] as {
      validateInput(text: string): Promise<string | undefined>;
    };
    expect(await validateInput(name)).toMatch(/ \(in Latin\)$/);
    translate.mockRestore();
  },
);
