import { readFile, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { openSafetensors } from '../../../engine/formats/safetensors.ts';
import { WEIGHTS_ALIGNMENT, writeSafetensors } from '../../../engine/formats/safetensors-writer.ts';
import { readTensor, readTensorRaw } from '../../../engine/formats/tensor-data.ts';
import { tempFolder } from '../../support/temp-folder.ts';

/** The bytes of a file with this header; the header length can be made to lie. */
function fileOf(header: string | Uint8Array, dataBytes = 0, claimedLength?: bigint): Uint8Array {
  const json = Buffer.from(header);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(claimedLength ?? BigInt(json.length));
  return Buffer.concat([length, json, Buffer.alloc(dataBytes)]);
}

async function openBytes(bytes: Uint8Array) {
  const file = path.join(await tempFolder(), 'model.safetensors');
  await writeFile(file, bytes);
  return openSafetensors(file);
}

const entry = (begin: number, end: number, shape = `[${(end - begin) / 4}]`, dtype = 'F32') =>
  `{"dtype":"${dtype}","shape":${shape},"data_offsets":[${begin},${end}]}`;

describe('reading', () => {
  test('locations are absolute and follow symbolic links', async () => {
    const folder = await tempFolder();
    const header = `{"__metadata__":{"format":"pt"},"a":${entry(8, 12)},"b":${entry(0, 8, '[1,2]')}}  `;
    await writeFile(path.join(folder, 'blob'), fileOf(header, 12));
    await symlink('blob', path.join(folder, 'model.safetensors'));
    const opened = await openSafetensors(path.join(folder, 'model.safetensors'));
    const file = path.join(folder, 'blob');
    const start = 8 + header.length;
    expect(opened.metadata).toEqual({ format: 'pt' });
    expect([...opened.tensors.values()]).toEqual([
      { name: 'b', dtype: 'F32', shape: [1, 2], file, offset: start, length: 8 },
      { name: 'a', dtype: 'F32', shape: [1], file, offset: start + 8, length: 4 },
    ]);
  });

  test('scalars, empty tensors and names that objects treat specially are fine', async () => {
    const empty = entry(4, 4, '[0,3]');
    const { tensors } = await openBytes(
      fileOf(`{"__proto__":${entry(0, 4, '[]')},"7":${empty},"é":${empty}}`, 4),
    );
    expect([...tensors.keys()].sort()).toEqual(['7', '__proto__', 'é']);
    expect(tensors.get('__proto__')?.shape).toEqual([]);
  });

  test('integers are not taken for weights', async () => {
    const { tensors } = await openBytes(fileOf(`{"ids":${entry(0, 16, '[2]', 'I64')}}`, 16));
    await expect(readTensor(tensors.get('ids')!)).rejects.toMatchObject({
      code: 'model.unsupported',
    });
  });
});

describe('headers that lie', () => {
  const whole = entry(0, 8);
  const cases: [string, Uint8Array, RegExp, number][] = [
    ['empty file', new Uint8Array(0), /ends after 0 bytes/, 0],
    ['shorter than a header length', new Uint8Array(7), /ends after 7 bytes/, 7],
    ['header longer than the file', fileOf('{}', 0, 100n), /should be 100 bytes/, 0],
    ['header over the limit', fileOf('{}', 0, 100_000_001n), /more than the format allows/, 0],
    [
      'header length of 2^64 - 1',
      fileOf('{}', 0, 2n ** 64n - 1n),
      /more than the format allows/,
      0,
    ],
    ['empty header', fileOf(''), /does not begin with/, 8],
    ['invalid UTF-8', fileOf(Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x7d)), /not valid UTF-8/, 8],
    ['not JSON', fileOf('{"a":'), /not valid JSON/, 8],
    ['JSON with a comment', fileOf('{/* */}'), /not valid JSON/, 8],
    ['a list', fileOf('[]'), /does not begin with/, 8],
    ['leading space', fileOf(' {}'), /does not begin with/, 8],
    ['text after the header', fileOf('{}x'), /not valid JSON/, 8],
    ['absurd nesting', fileOf(`{"a":${'['.repeat(1e5)}${']'.repeat(1e5)}}`), /damaged/, 8],
    ['a name twice', fileOf(`{"a":${whole},"é":${whole},"a":${whole}}`, 8), /holds "a" twice/, 116],
    ['a field twice', fileOf('{"a":{"dtype":"F32","dtype":"F16"}}'), /"dtype" twice/, 28],
    ['metadata of numbers', fileOf('{"__metadata__":{"a":1}}'), /__metadata__/, 9],
    ['metadata that is a list', fileOf('{"__metadata__":["a"]}'), /__metadata__/, 9],
    ['an entry that is null', fileOf('{"a":null}'), /not described by an object/, 9],
    ['an entry without dtype', fileOf('{"a":{"shape":[],"data_offsets":[0,4]}}', 4), /no dtype/, 9],
    ['no shape', fileOf('{"a":{"dtype":"F32","data_offsets":[0,4]}}', 4), /list of sizes/, 9],
    ['negative size', fileOf(`{"a":${entry(0, 4, '[-1]')}}`, 4), /list of sizes/, 9],
    ['fractional size', fileOf(`{"a":${entry(0, 4, '[0.5]')}}`, 4), /list of sizes/, 9],
    ['size as text', fileOf(`{"a":${entry(0, 4, '["1"]')}}`, 4), /list of sizes/, 9],
    [
      'size beyond 2^53',
      fileOf(`{"a":${entry(0, 4, '[9007199254740993]')}}`, 4),
      /list of sizes/,
      9,
    ],
    [
      'product that overflows',
      fileOf(`{"a":${entry(0, 4, '[4294967296,4294967296,4294967296]')}}`, 4),
      /needs/,
      9,
    ],
    [
      'one offset',
      fileOf('{"a":{"dtype":"F32","shape":[1],"data_offsets":[0]}}', 4),
      /two byte positions/,
      9,
    ],
    ['negative offset', fileOf(`{"a":${entry(-4, 0, '[1]')}}`, 4), /two byte positions/, 9],
    ['end before begin', fileOf(`{"a":${entry(8, 4, '[1]')}}`, 8), /should lie at bytes 8 to 4/, 9],
    ['end beyond the file', fileOf(`{"a":${entry(0, 12)}}`, 8), /of which the file holds 8/, 9],
    [
      'fewer bytes than the shape needs',
      fileOf(`{"a":${entry(0, 4, '[2]')}}`, 4),
      /needs 8 bytes but has 4/,
      9,
    ],
    [
      'more bytes than the shape needs',
      fileOf(`{"a":${entry(0, 8, '[1]')}}`, 8),
      /needs 4 bytes but has 8/,
      9,
    ],
    ['overlap', fileOf(`{"a":${entry(0, 8)},"b":${entry(4, 12)}}`, 12), /"b" overlaps/, 120],
    ['the same bytes twice', fileOf(`{"a":${whole},"b":${whole}}`, 8), /overlaps/, 115],
    ['a hole', fileOf(`{"a":${entry(0, 4)},"b":${entry(8, 12)}}`, 12), /"b" follows unused/, 124],
    ['a hole at the start', fileOf(`{"a":${entry(4, 8)}}`, 8), /"a" follows unused/, 66],
    ['bytes left over', fileOf(`{"a":${entry(0, 4)}}`, 9), /5 bytes at its end/, 66],
    ['data without tensors', fileOf('{}', 3), /3 bytes at its end/, 10],
  ];

  test.each(cases)('%s', async (_, bytes, message, offset) => {
    await expect(openBytes(bytes)).rejects.toMatchObject({
      code: 'model.corrupt',
      message: expect.stringMatching(message),
      location: { file: expect.stringContaining('model.safetensors'), offset },
    });
  });

  test('an element type that is not known is refused by name', async () => {
    await expect(
      openBytes(fileOf(`{"a":${entry(0, 4, '[4]', 'F8_E4M3')}}`, 4)),
    ).rejects.toMatchObject({
      code: 'model.unsupported',
      message: expect.stringMatching(/"F8_E4M3"; known are F64.*; store it as one of these\.$/),
    });
  });

  test('a file cut short anywhere is refused', async () => {
    const bytes = fileOf(`{"a":${whole}}`, 8);
    for (let length = 0; length < bytes.length; length++) {
      await expect(openBytes(bytes.subarray(0, length))).rejects.toMatchObject({
        code: 'model.corrupt',
      });
    }
  });

  test('a file that is not there, or a folder, is reported as such', async () => {
    const folder = await tempFolder();
    await expect(openSafetensors(path.join(folder, 'none'))).rejects.toMatchObject({
      code: 'model.not_found',
      message: `Cannot open ${path.join(folder, 'none')}: it does not exist; check the path.`,
    });
    await expect(openSafetensors(folder)).rejects.toMatchObject({
      code: 'model.corrupt',
      message: `Cannot open ${folder}: a folder is in its place; put the file itself there.`,
    });
  });

  test.skipIf(process.getuid?.() === 0)('nor is one that may not be read', async () => {
    const file = path.join(await tempFolder(), 'a.safetensors');
    await writeFile(file, fileOf(`{"a":${whole}}`, 8), { mode: 0o000 });
    await expect(openSafetensors(file)).rejects.toMatchObject({
      message: `Cannot open ${file}: permission is denied; change its permissions.`,
    });
  });

  test('a file cut short after it was opened is noticed', async () => {
    const file = path.join(await tempFolder(), 'a.safetensors');
    const bytes = fileOf(`{"a":${whole}}`, 8);
    await writeFile(file, bytes);
    const location = (await openSafetensors(file)).tensors.get('a')!;
    await writeFile(file, bytes.subarray(0, bytes.length - 2));
    await expect(readTensor(location)).rejects.toMatchObject({
      code: 'model.corrupt',
      location: { offset: bytes.length - 2 },
    });
  });
});

describe('writing', () => {
  test('what is written is read back, rounded to the element type', async () => {
    const file = path.join(await tempFolder(), 'a.safetensors');
    const values = Float32Array.of(1 / 3, -2, 1e-3, 65504);
    const shape = [2, 2];
    await writeSafetensors(file, [
      { name: 'half', dtype: 'F16', shape, data: values },
      { name: 'brain', dtype: 'BF16', shape, data: () => Promise.resolve(values) },
      { name: 'full', dtype: 'F32', shape, data: values },
      { name: 'raw', dtype: 'U8', shape: [3], data: Uint8Array.of(1, 2, 3) },
    ]);
    const { tensors } = await openSafetensors(file);
    const read = async (name: string) => [...(await readTensor(tensors.get(name)!))];
    expect(await read('full')).toEqual([...values]);
    expect(await read('half')).toEqual([0.333251953125, -2, 0.0010004043579101562, 65504]);
    expect(await read('brain')).toEqual([0.333984375, -2, 0.00099945068359375, 65536]);
    expect([...(await readTensorRaw(tensors.get('raw')!))]).toEqual([1, 2, 3]);
  });

  test('a float64 tensor is read as float32, and large tensors in several chunks', async () => {
    const file = path.join(await tempFolder(), 'a.safetensors');
    const count = 3 * 2 ** 20 + 5;
    const doubles = Float64Array.from({ length: count }, (_, index) => index / 7);
    await writeSafetensors(file, [
      { name: 'a', dtype: 'F64', shape: [count], data: new Uint8Array(doubles.buffer) },
    ]);
    const read = await readTensor((await openSafetensors(file)).tensors.get('a')!);
    const floats = Float32Array.from(doubles);
    // Compared as bytes: toEqual takes seconds over millions of elements.
    expect(Buffer.compare(Buffer.from(read.buffer), Buffer.from(floats.buffer))).toBe(0);
  });

  test('the bytes depend on the content alone and every tensor is aligned', async () => {
    const folder = await tempFolder();
    const tensors = ['b', 'a', '10', 'c'].map((name, index) => ({
      name,
      dtype: index === 0 ? ('F16' as const) : ('F32' as const),
      shape: [3],
      data: Float32Array.of(1, 2, index),
    }));
    const [one, two] = [path.join(folder, 'one'), path.join(folder, 'two')];
    await writeSafetensors(one, tensors, { format: 'pt' });
    await writeSafetensors(two, tensors.toReversed(), { format: 'pt' });
    expect((await readFile(one)).equals(await readFile(two))).toBe(true);
    await writeSafetensors(two, tensors, { format: 'pt' }, WEIGHTS_ALIGNMENT);
    expect((await openSafetensors(two)).tensors.get('10')!.offset % 64).toBe(0);
    const opened = await openSafetensors(one);
    expect([...opened.tensors.keys()]).toEqual(['10', 'a', 'c', 'b']);
    expect(opened.tensors.get('10')!.offset % 8).toBe(0);
    expect(opened.metadata).toEqual({ format: 'pt' });
  });

  test('data of the wrong size is refused and leaves no file', async () => {
    const file = path.join(await tempFolder(), 'a.safetensors');
    const tensor = { name: 'a', dtype: 'F32' as const, shape: [3], data: Float32Array.of(1) };
    await expect(writeSafetensors(file, [tensor])).rejects.toThrow(/"a" of shape \[3\]/);
    await expect(readFile(file)).rejects.toThrow(/ENOENT/);
  });
});
