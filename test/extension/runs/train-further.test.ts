import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parse } from 'jsonc-parser';
import { expect, test, vi } from 'vitest';
import { trainFurther } from '../../../extension/runs/train-further.ts';
import { beginWithAdapter } from '../../../server/language/begin-with-adapter.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { Uri } from '../../support/vscode-files.ts';
import { shown } from '../../support/vscode-window.ts';

vi.mock('vscode', () => import('../../support/vscode-window.ts'));

const TEXT = '{ "lora": { "r": 8 }, "training": { "output_dir": "runs/first" } }';

test('the next configuration begins with a checkpoint of the run, in a folder of its own', async () => {
  const folder = await tempFolder();
  const file = path.join(folder, 'first.lorafa.json');
  await writeFile(file, TEXT);
  await mkdir(path.join(folder, 'runs/first-2'), { recursive: true });
  const server = {
    ask: async (_: unknown, { text, adapter }: Record<'text' | 'adapter', string>) => ({
      text: beginWithAdapter(text, adapter),
    }),
  };
  await trainFurther(server as never, {
    file: Uri.file(file) as never,
    name: 'first',
    adapter: path.join(folder, 'runs/first/checkpoint-6'),
  });
  expect((await readdir(folder)).toSorted()).toEqual([
    'first-3.lorafa.json',
    'first.lorafa.json',
    'runs',
  ]);
  expect(parse(await readFile(path.join(folder, 'first-3.lorafa.json'), 'utf8'))).toEqual({
    lora: { init_adapter: 'runs/first/checkpoint-6' },
    training: { output_dir: 'runs/first-3' },
  });
  expect(await readFile(file, 'utf8')).toBe(TEXT);
  const told = shown.findLast(({ to }) => to === 'information');
  expect(told?.args[0]).toMatch(/first-3\.lorafa\.json begins with what first has learned/);
});
