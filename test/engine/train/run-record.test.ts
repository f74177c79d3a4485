import { cp, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { whereItIsNow } from '../../../engine/train/moved-run.ts';
import { readRunRecord, writeRunRecord } from '../../../engine/train/run-record.ts';
import { useTinyRuns } from './use-tiny-runs.ts';

const tiny = useTinyRuns();
const lineage = [{ session: 'a', from: 0 }];

async function folderWith(content: unknown): Promise<string> {
  const folder = tiny().fresh();
  await mkdir(folder);
  const text = typeof content === 'string' ? content : JSON.stringify(content);
  await writeFile(path.join(folder, 'run.json'), text);
  return folder;
}

describe('the record of a run is data', () => {
  test.each<[string, Parameters<ReturnType<typeof tiny>['config']>[0]]>([
    ['a full fine-tune', { training: { method: 'full' } }],
    ['one that began with an adapter', { lora: { init_adapter: '/some/adapter' } }],
    ['one of plain text', { data: { format: 'text' } }],
  ])('%s is read as it was written', async (_, changes) => {
    const config = tiny().config(changes);
    const folder = tiny().fresh();
    await mkdir(folder);
    await writeRunRecord(folder, { config, lineage });
    expect(await readRunRecord(folder)).toEqual({ config, lineage });
  });

  test('one of the first version has one session', async () => {
    const config = tiny().config();
    const folder = await folderWith({ version: 1, config });
    expect(await readRunRecord(folder)).toEqual({
      config,
      lineage: [{ session: 'first', from: 0 }],
    });
  });

  test.each<[string, unknown, string]>([
    ['nothing', '', 'is missing or broken'],
    ['no object', '[1]', 'holds a value that cannot be used at'],
    ['no configuration', { version: 2, lineage }, 'cannot be used at "config"'],
    ['no configuration, in the first version', { version: 1 }, 'cannot be used at "config"'],
    ['a later version', { version: 3 }, 'by a later version of LoRA-FA (3, here 2)'],
    [
      'a wrong value',
      { version: 2, lineage, config: { model: { base_model_name_or_path: 7 } } },
      'cannot be used at "config.model.base_model_name_or_path"',
    ],
  ])('%s is refused', async (_, content, words) => {
    await expect(readRunRecord(await folderWith(content))).rejects.toMatchObject({
      code: 'checkpoint.corrupt',
      message: expect.stringContaining(words),
    });
  });
});

test('a moved run folder finds beside it what was beside it', async () => {
  const config = tiny().config({
    data: { dataset_name_or_path: `${tiny().data}[:3]` },
    training: { output_dir: path.join(tiny().folder, 'runs', 'first') },
  });
  // All of it goes to another place; what is still where it was is taken from there.
  const elsewhere = path.join(tiny().fresh('elsewhere'), 'x');
  await cp(tiny().data, path.join(elsewhere, 'rows.jsonl'), { recursive: true });
  const run = path.join(elsewhere, 'runs', 'first');
  const gone = {
    ...config,
    data: { ...config.data, dataset_name_or_path: '/gone/rows.jsonl[:3]' },
    training: { ...config.training, output_dir: '/gone/runs/first' },
  };
  const now = whereItIsNow(gone, run);
  expect(now.training.output_dir).toBe(run);
  expect(now.data.dataset_name_or_path).toBe(path.join(elsewhere, 'rows.jsonl[:3]'));
  expect(now.model.base_model_name_or_path).toBe(tiny().model);
});
