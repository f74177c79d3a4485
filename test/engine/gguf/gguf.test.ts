import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { GGMLQuantizationType } from '@huggingface/gguf';
import { describe, expect, test } from 'vitest';
import { openGguf } from '../../../engine/gguf/gguf.ts';
import { ggufBytes } from '../../support/gguf-bytes.ts';
import { goldenPath } from '../../support/golden.ts';
import { tempFolder } from '../../support/temp-folder.ts';

async function openBytes(bytes: Uint8Array) {
  const file = path.join(await tempFolder(), 'model.gguf');
  await writeFile(file, bytes);
  return openGguf(file);
}

/** A file whose only list claims another length. */
function withListLength(bytes: Uint8Array, length: bigint, claimed: bigint): Uint8Array {
  const lying = Buffer.from(bytes);
  const written = Buffer.alloc(8);
  written.writeBigUInt64LE(length);
  lying.writeBigUInt64LE(claimed, lying.lastIndexOf(written));
  return lying;
}

test('shapes are outermost first and offsets count from the start of the file', async () => {
  const bytes = ggufBytes(
    { 'general.architecture': 'llama' },
    [
      { name: 'a', dims: [2, 3] },
      { name: 'b', dims: [32, 4], type: GGMLQuantizationType.Q8_0, offset: 32 },
    ],
    new Uint8Array(32 + 4 * 34),
  );
  const { tensors, metadata } = await openBytes(bytes);
  const start = bytes.length - 32 - 4 * 34;
  expect(metadata.get('general.architecture')).toBe('llama');
  expect(tensors.get('a')).toMatchObject({ type: 'F32', shape: [3, 2], offset: start, length: 24 });
  expect(tensors.get('b')).toMatchObject({ shape: [4, 32], offset: start + 32, length: 136 });
});

describe('files that lie', () => {
  const data = new Uint8Array(64);
  const cases: [string, Uint8Array, string, RegExp][] = [
    ['not a GGUF file', Buffer.from('safetensors?'), 'model.corrupt', /magic number/],
    ['empty', new Uint8Array(0), 'model.corrupt', /header/],
    [
      'a list that is longer than the file',
      withListLength(ggufBytes({ 'tokenizer.ggml.scores': [7, 8, 9] }), 3n, 900_000n),
      'model.corrupt',
      /ends inside its header/,
    ],
    [
      'tensor beyond the end',
      ggufBytes({}, [{ name: 'a', dims: [4, 8] }], data),
      'model.corrupt',
      /tensor "a" at bytes 96 to 224 but ends after 160/,
    ],
    [
      'offset beyond the end',
      ggufBytes({}, [{ name: 'a', dims: [1], offset: 2 ** 52 }], data),
      'model.corrupt',
      /tensor "a" at bytes/,
    ],
    [
      'absurd dimensions',
      ggufBytes({}, [{ name: 'a', dims: [2 ** 31, 2 ** 31, 2 ** 31] }], data),
      'model.corrupt',
      /tensor "a" of shape .* impossible/,
    ],
    [
      'width that is not whole blocks',
      ggufBytes({}, [{ name: 'a', dims: [33], type: GGMLQuantizationType.Q4_0 }], data),
      'model.corrupt',
      /impossible for Q4_0/,
    ],
    [
      'a tensor twice',
      ggufBytes(
        {},
        [
          { name: 'a', dims: [1] },
          { name: 'a', dims: [1] },
        ],
        data,
      ),
      'model.corrupt',
      /"a" twice/,
    ],
    [
      'a storage type that is not known',
      ggufBytes({}, [{ name: 'a', dims: [256], type: GGMLQuantizationType.NVFP4 }], data),
      'model.unsupported',
      /"a" stored as NVFP4; known are F32/,
    ],
    [
      'a scale outside of the blocks',
      ggufBytes({}, [{ name: 'blk.0.ffn_up.scale', dims: [1] }], data),
      'model.unsupported',
      /"blk.0.ffn_up.scale", a scale of another one/,
    ],
    [
      'a storage type that nobody knows',
      ggufBytes({}, [{ name: 'a', dims: [256], type: 200 as GGMLQuantizationType }], data),
      'model.unsupported',
      /"a" stored as type 200; known are F32/,
    ],
  ];

  test.each(cases)('%s', async (_, bytes, code, message) => {
    await expect(openBytes(bytes)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    });
  });

  test('a file cut short anywhere is refused', async () => {
    const bytes = await readFile(goldenPath('gguf', 'tinyllama-f16-f16.gguf'));
    for (let length = 0; length < bytes.length; length += 997) {
      await expect(openBytes(bytes.subarray(0, length))).rejects.toMatchObject({
        code: 'model.corrupt',
      });
    }
  });

  test('a file that is not there', async () => {
    await expect(openGguf('/nowhere/model.gguf')).rejects.toMatchObject({
      code: 'model.not_found',
    });
  });
});
