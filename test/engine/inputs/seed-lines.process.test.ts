import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { BuiltCli } from '../../support/built-cli.ts';
import { HubServer } from '../../support/hub-server/hub-server.ts';
import {
  guanacoRepository,
  metaMathRepository,
  tinyModelRepository,
} from '../../support/hub-server/tiny-repositories.ts';

/*
 * The command lines of PEFT's LoRA-FA example, typed as they are, against a hub with small stand-ins
 * of what they name.
 */

let built: BuiltCli;
let hub: HubServer;
let work: string;

beforeAll(async () => {
  [built, hub] = await Promise.all([BuiltCli.build(), HubServer.start()]);
  work = path.join(built.folder, 'work');
  await mkdir(work);
  hub.add(await tinyModelRepository(path.join(built.folder, 'tiny')));
  hub.add(metaMathRepository());
  hub.add(guanacoRepository());
}, 60_000);

afterAll(() => Promise.all([built.remove(), hub.close()]));

const MODEL = ['--base_model_name_or_path', 'meta-llama/Meta-Llama-3-8B'];
const SMALL = ['--set', 'training.max_steps=2', '--set', 'engine.intra_op_num_threads=1'];

test.each([
  ['out', ['--dataset_name_or_path', 'meta-math/MetaMathQA-40K', '--lorafa']],
  ['out-guanaco', ['--dataset_name_or_path', 'timdettmers/openassistant-guanaco', '--lorafa']],
  ['out-nf4', ['--dataset_name_or_path', 'meta-math/MetaMathQA-40K', '--lorafa', '--quantize']],
])('%s', async (out, flags) => {
  const outcome = await built.run(['train', ...MODEL, ...flags, '--output_dir', out, ...SMALL], {
    env: environment(),
    cwd: work,
  });
  expect(outcome).toMatchObject({ code: 0, stderr: '' });
  const folder = path.join(work, out);
  const adapter = JSON.parse(await readFile(path.join(folder, 'adapter_config.json'), 'utf8'));
  expect(adapter.base_model_name_or_path).toBe('meta-llama/Meta-Llama-3-8B');
  const record = JSON.parse(await readFile(path.join(folder, 'run.json'), 'utf8'));
  expect(record.hub).toHaveLength(2);
  // PEFT loads the base as it was then.
  expect(record.hub.map(({ commit }: { commit: string }) => commit)).toContain(adapter.revision);
});

test('a run that goes on has the rows that it began with', async () => {
  const flags = [...MODEL, '--dataset_name_or_path', 'meta-math/MetaMathQA-40K', '--lorafa'];
  const start = (out: string, ...more: string[]) =>
    built.run(['train', ...flags, '--output_dir', out, '--save_step', '1', ...SMALL, ...more], {
      env: environment(),
      cwd: work,
    });
  expect(await start('first')).toMatchObject({ code: 0 });
  hub.add(metaMathRepository(12));
  const resumed = ['--set', 'training.resume_from_checkpoint=first/checkpoint-1'];
  expect(await start('second', ...resumed)).toMatchObject({ code: 0, stderr: '' });
  // Who begins anew has the new ones.
  const { stdout } = await start('third', '--json');
  expect(stdout).toMatch(/"train":\{"rows":11,/);
});

function environment(): Readonly<Record<string, string>> {
  return {
    HF_ENDPOINT: hub.endpoint,
    HF_HOME: path.join(work, 'hf'),
    LORAFA_CACHE_DIR: path.join(work, 'cache'),
  };
}
