import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { parseConfig } from '../../../engine/config/parse.ts';
import { ComputeProcess } from '../../../server/trainer/compute-process.ts';
import { HEAP_ENVIRONMENT, KEPT_HEAP } from '../../../server/trainer/heap-environment.ts';
import { tempFolder } from '../../support/temp-folder.ts';

afterEach(() => void vi.unstubAllEnvs());

/** What a computing process finds in its environment. */
async function environmentOfCompute(): Promise<Record<string, string>> {
  const script = path.join(await tempFolder(), 'print-environment.mjs');
  await writeFile(script, 'console.log(JSON.stringify(process.env)); process.disconnect();');
  const config = parseConfig(
    JSON.stringify({
      model: { base_model_name_or_path: 'model' },
      data: { dataset_name_or_path: 'rows.jsonl' },
      training: { output_dir: 'out' },
    }),
    'run.lorafa.json',
  );
  const lines: string[] = [];
  const child = new ComputeProcess(
    script,
    { config },
    {
      onMessage: () => undefined,
      onOutput: (line) => lines.push(line),
    },
  );
  await child.ended;
  return JSON.parse(lines.join(''));
}

test('a process that trains keeps its heap, unless the user says otherwise', async () => {
  expect(await environmentOfCompute()).toMatchObject(HEAP_ENVIRONMENT);
  const [name] = Object.keys(HEAP_ENVIRONMENT) as [string];
  vi.stubEnv(name, '65536');
  expect(await environmentOfCompute()).toMatchObject({ ...HEAP_ENVIRONMENT, [name]: '65536' });
});

test('the command line starts itself with those variables that its first line has room for', async () => {
  const [firstLine] = (await readFile('server/cli/main.ts', 'utf8')).split('\n');
  const variables = Object.entries(KEPT_HEAP).map(([name, value]) => `${name}=${value}`);
  expect(firstLine).toBe(`#!/usr/bin/env -S ${variables.join(' ')} node`);
  expect(firstLine!.length).toBeLessThan(128);
});
