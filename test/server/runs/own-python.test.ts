import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { ownPython } from '../../../server/runs/own-python.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const STORED = {
  python: '/somebody/else/python',
  num_processes: 2,
  num_machines: 1,
  machine_rank: 0,
  main_process_port: 29_500,
  ddp_timeout: 600,
  distributed_type: 'ddp',
  mixed_precision: 'no',
} as const;
const { python: _, ...WITHOUT } = STORED;

/** A configuration file with a section `accelerate`. */
async function fileWith(accelerate: object): Promise<string> {
  const file = path.join(await tempFolder(), 'tune.lorafa.json');
  const config = {
    model: { base_model_name_or_path: 'model' },
    data: { dataset_name_or_path: 'rows.jsonl' },
    training: { output_dir: 'out' },
    engine: { backend: 'accelerate' },
    accelerate,
  };
  await writeFile(file, JSON.stringify(config));
  return file;
}

test('the program that a run folder names is not started', async () => {
  expect(await ownPython(STORED, null)).toEqual(WITHOUT);
  expect(await ownPython(STORED, '/nowhere/tune.lorafa.json')).toEqual(WITHOUT);
  expect(await ownPython(STORED, await fileWith({ num_processes: 4 }))).toEqual(WITHOUT);
});

test('the configuration file says which Python computes', async () => {
  const file = await fileWith({ python: '/my/python' });
  expect(await ownPython(STORED, file)).toEqual({ ...WITHOUT, python: '/my/python' });
});
