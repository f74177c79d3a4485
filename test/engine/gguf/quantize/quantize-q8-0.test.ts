import { expect, test } from 'vitest';
import { openSafetensors } from '../../../../engine/formats/safetensors.ts';
import { readTensor, readTensorRaw } from '../../../../engine/formats/tensor-data.ts';
import { openGguf } from '../../../../engine/gguf/gguf.ts';
import { quantizeQ8_0 } from '../../../../engine/gguf/quantize/quantize-q8-0.ts';
import { goldenPath } from '../../../support/golden.ts';

test('Q8_0 is what the Python package gguf makes of the same weights', async () => {
  const { tensors } = await openSafetensors(goldenPath('models', 'llama2', 'model.safetensors'));
  const golden = await openGguf(goldenPath('gguf', 'llama2-q8_0.gguf'));
  const names = {
    'token_embd.weight': 'model.embed_tokens',
    'blk.1.ffn_down.weight': 'model.layers.1.mlp.down_proj',
  };
  for (const [gguf, name] of Object.entries(names)) {
    const stored = golden.tensors.get(gguf)!;
    expect(stored.type).toBe('Q8_0');
    const values = await readTensor(tensors.get(`${name}.weight`)!);
    expect(Buffer.compare(quantizeQ8_0(values), await readTensorRaw(stored)), name).toBe(0);
  }
});

test('zeros, and halves, which are rounded away from zero', () => {
  expect(quantizeQ8_0(new Float32Array(32))).toEqual(new Uint8Array(34));
  const values = new Float32Array(32);
  values.set([127, 0.5, -0.5, 2.5, -2.5, -127]);
  const codes = new Int8Array(quantizeQ8_0(values).buffer).subarray(2, 8);
  expect([...codes]).toEqual([127, 1, -1, 3, -3, -127]);
});
