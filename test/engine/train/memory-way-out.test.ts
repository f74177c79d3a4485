import { expect, test } from 'vitest';
import { LorafaError } from '../../../engine/errors.ts';
import { OutOfMemory } from '../../../engine/runtime/out-of-memory.ts';
import { withSettings } from '../../../engine/train/memory-way-out.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { type ConfigChanges, TinyRuns } from './tiny-run.ts';

const NO_ROOM = new OutOfMemory('cuda:0 has too little memory', { detail: 'BFCArena' });
const BOUND = new OutOfMemory('the bound is met', { isBound: true });

test.each<[string, Error, ConfigChanges, Parameters<typeof withSettings>[2], string]>([
  [
    'settings that a checkpoint goes on with come first',
    NO_ROOM,
    { training: { per_device_train_batch_size: 2 } },
    { recompute: 'attention', evaluates: true },
    'cuda:0 has too little memory; resume with training.gradient_checkpointing "layer" or a smaller training.per_device_eval_batch_size, or start anew with a smaller training.per_device_train_batch_size or a smaller data.max_length or model.quantization "nf4".',
  ],
  [
    'a run that has the least has one way left',
    NO_ROOM,
    {
      training: { method: 'full', per_device_train_batch_size: 1 },
    },
    { recompute: 'layer', evaluates: true },
    'cuda:0 has too little memory; start anew with a smaller data.max_length.',
  ],
  [
    'a bound may be set higher',
    BOUND,
    {
      model: { quantization: 'nf4' },
      training: { per_device_train_batch_size: 1 },
    },
    { recompute: 'layer', evaluates: false },
    'the bound is met; resume with a larger engine.max_memory_gib, or start anew with a smaller data.max_length.',
  ],
])('%s', async (_name, error, changes, use, message) => {
  const config = (await TinyRuns.create(await tempFolder())).config(changes);
  expect(withSettings(error, config, use)).toMatchObject({
    code: 'device.out_of_memory',
    message,
    cause: error,
  });
});

test('other errors are what they were', async () => {
  const config = (await TinyRuns.create(await tempFolder())).config();
  const error = new LorafaError('device.failed', 'ONNX Runtime could not go on.');
  expect(withSettings(error, config, { recompute: 'none', evaluates: false })).toBe(error);
});
