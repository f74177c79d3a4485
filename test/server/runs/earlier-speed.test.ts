import { appendFile, mkdir, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { parseConfig } from '../../../engine/config/parse.ts';
import type { ResolvedConfig } from '../../../engine/config/schema.ts';
import { writeRunRecord } from '../../../engine/train/run-record.ts';
import { earlierSpeed } from '../../../server/runs/earlier-speed.ts';
import { tempFolder } from '../../support/temp-folder.ts';

function config(changes: Readonly<Record<string, object>> = {}): ResolvedConfig {
  const text = JSON.stringify({
    model: { base_model_name_or_path: './base' },
    data: { dataset_name_or_path: './rows.jsonl' },
    lora: { r: 8, ...changes['lora'] },
    training: { output_dir: './run', ...changes['training'] },
    engine: { ...changes['engine'] },
    accelerate: { ...changes['accelerate'] },
  });
  return parseConfig(text, '/work/run.lorafa.json');
}

/** A run folder as far as its speed is read from it. */
async function writeRun(folder: string, used: ResolvedConfig, rates: readonly number[], age = 0) {
  await mkdir(folder);
  await writeRunRecord(folder, { config: used, lineage: [{ session: 'a', from: 0 }] });
  const journal = path.join(folder, 'events.jsonl');
  await writeFile(journal, 'damaged\n');
  for (const [index, tokens_per_second] of rates.entries()) {
    const entry = {
      ...{ type: 'step', time: '2024-01-01T00:00:00.000Z', step: index + 1, maxSteps: 9, epoch: 0 },
      ...{ loss: 1, grad_norm: 1, learning_rate: 1, num_tokens: 10, tokens_per_second },
    };
    await appendFile(journal, `${JSON.stringify(entry)}\n`);
  }
  const time = new Date(Date.now() - age * 1000);
  await utimes(journal, time, time);
}

test('the latest run that did the same tells the speed', async () => {
  const folder = await tempFolder();
  const at = (name: string): string => path.join(folder, name);
  await writeRun(at('other'), config({ lora: { r: 16 } }), [9_000]);
  await writeRun(at('silent'), config(), [], 10);
  await writeRun(at('new'), config({ training: { learning_rate: 1 } }), [10, 300, 200], 20);
  await writeRun(at('old'), config(), [7], 30);
  const folders = ['other', 'silent', 'new', 'old', 'none'].map(at);
  expect(await earlierSpeed(config(), folders)).toEqual({ run: 'new', tokensPerSecond: 200 });
  expect(await earlierSpeed(config({ training: { method: 'lora' } }), folders)).toBeUndefined();
});

test('a run on Accelerate is as fast as another one with as many processes and machines in the same precision', async () => {
  const run = path.join(await tempFolder(), 'run');
  const on = (accelerate: object): ResolvedConfig =>
    config({
      training: { gradient_accumulation_steps: 4 },
      engine: { backend: 'accelerate' },
      accelerate,
    });
  const two = { num_processes: 2 };
  await writeRun(run, on({ ...two, python: '/its/python' }), [10]);
  expect(await earlierSpeed(on(two), [run])).toMatchObject({ tokensPerSecond: 10 });
  for (const other of [
    { num_processes: 4 },
    { ...two, num_machines: 2, main_process_ip: '10.0.0.1' },
    { ...two, mixed_precision: 'bf16' },
    { ...two, distributed_type: 'fsdp' },
  ]) {
    expect(await earlierSpeed(on(other), [run])).toBeUndefined();
  }
});
