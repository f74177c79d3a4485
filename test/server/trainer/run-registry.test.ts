import { readdir, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { RunRegistry } from '../../../server/trainer/run-registry.ts';
import { tempFolder } from '../../support/temp-folder.ts';

/** No process has this id: Linux has at most 2²² of them. */
const NO_PROCESS = 4_194_304 * 2;

test('what a killed process was writing goes with a later run, and not at once', async () => {
  const folder = await tempFolder();
  const [old, young] = ['a', 'b'].map((name) => `.${name}.json.${NO_PROCESS}-0123abcd.tmp`);
  for (const name of [old!, young!]) await writeFile(path.join(folder, name), '{');
  const hourAgo = new Date(Date.now() - 3_600_000);
  await utimes(path.join(folder, old!), hourAgo, hourAgo);
  const registry = new RunRegistry(folder);
  const run = { folder: path.join(folder, 'run'), configFile: null };
  await registry.add(run);
  expect(await registry.list()).toMatchObject([run]);
  const names = await readdir(folder);
  expect(names.filter((name) => name.endsWith('.tmp'))).toEqual([young]);
});
