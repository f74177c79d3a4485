import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { checkDeltas, checkRuns } from '../../../../engine/data/parquet/parquet-runs.ts';
import { readParquet } from '../../../../engine/data/parquet/read-parquet.ts';
import { ThriftReader } from '../../../../engine/data/parquet/thrift.ts';
import { tempFolder } from '../../../support/temp-folder.ts';

const FIXTURES = path.join(import.meta.dirname, '../../../faults/fuzz/fixtures');

async function read(file: string): Promise<Readonly<Record<string, unknown>>[]> {
  const rows = [];
  for await (const { value } of readParquet(file)) rows.push(value);
  return rows;
}

const PAIRS = ['one', 'two', 'three', 'four', 'None', 'five'].map((word) => `What is ${word}?`);
const TURNS = [
  { role: 'user', content: 'Hi' },
  { role: 'assistant', content: 'Hello.' },
];

describe('codecs, encodings and versions of pages', () => {
  test.each(['plain', 'snappy-v2', 'gzip-delta'])('%s', async (name) => {
    const rows = await read(path.join(FIXTURES, `${name}.parquet`));
    expect(rows.map(({ prompt }) => prompt)).toEqual(PAIRS);
    expect(rows.map(({ completion }) => completion ?? null)).toEqual([
      'one',
      'two',
      'three',
      'four',
      null,
      'five',
    ]);
  });

  test.each(['brotli-nested', 'lz4-nested-v2', 'plain-nested'])('%s', async (name) => {
    const rows = await read(path.join(FIXTURES, `${name}.parquet`));
    const messages = rows.map((row) => row['messages'] ?? null);
    expect(messages).toEqual([TURNS, TURNS, [], null, TURNS]);
    expect(rows.map(({ tags }) => tags ?? null)).toEqual([['a'], [], null, ['b', 'c'], []]);
  });
});

describe('damage', () => {
  test.each(['plain', 'snappy-v2', 'gzip-delta', 'plain-nested'])(
    'of any byte of %s is told, and nothing is left over that fails later',
    async (name) => {
      const whole = await readFile(path.join(FIXTURES, `${name}.parquet`));
      const file = path.join(await tempFolder(), 'rows.parquet');
      for (let at = 4; at < whole.length; at += 13) {
        const damaged = Buffer.from(whole);
        damaged[at]! ^= 0x81;
        await writeFile(file, damaged);
        const error: unknown = await read(file).catch((thrown: unknown) => thrown);
        if (error instanceof Error) expect(error).toMatchObject({ code: 'data.corrupt' });
      }
    },
  );

  test('is told of a footer that claims what is not there', async () => {
    const whole = await readFile(path.join(FIXTURES, 'plain.parquet'));
    const file = path.join(await tempFolder(), 'rows.parquet');
    const claim = async (bytes: Buffer): Promise<string> => {
      await writeFile(file, bytes);
      return read(file).then(
        () => 'read',
        (error: Error) => error.message,
      );
    };
    const longer = Buffer.from(whole);
    longer.writeUInt32LE(whole.length, whole.length - 8);
    expect(await claim(longer)).toMatch(/its footer is longer than the file/);
    // The schema, the second field, is a list of structs; its length becomes 2^28.
    const length = whole.readUInt32LE(whole.length - 8);
    const footer = whole.length - 8 - length;
    expect([...whole.subarray(footer, footer + 4)]).toEqual([0x15, 0x04, 0x19, 0x6c]);
    const listHead = Buffer.from([0xfc, 0xff, 0xff, 0xff, 0x7f]);
    const endless = Buffer.concat([
      whole.subarray(0, footer + 3),
      listHead,
      whole.subarray(footer + 4, -8),
      whole.subarray(-8),
    ]);
    endless.writeUInt32LE(length + 4, endless.length - 8);
    expect(await claim(endless)).toMatch(/a list in it has no end/);
  });
});

describe('runs', () => {
  test('of equal values and of packed bits are told as they are', () => {
    const found: [number, number][] = [];
    // Five times 3, then the eight values 0 to 7 in three bits each.
    const bytes = Uint8Array.of(10, 3, 3, 0b10001000, 0b11000110, 0b11111010);
    checkRuns(bytes, 3, 12, (value, length) => found.push([value, length]));
    expect(found).toEqual([[3, 5], ...Array.from({ length: 7 }, (_, value) => [value, 1])]);
  });

  test.each([
    ['a run of a billion', [0xfe, 0xff, 0xff, 0xff, 0x07, 1], 'runs without end'],
    ['packed bits of a billion', [0xff, 0xff, 0xff, 0xff, 0x07, 1], 'runs without end'],
    ['runs of nothing', [0, 1, 0, 1, 0, 1], 'runs without end'],
    ['a number without end', [0x80, 0x80, 0x80, 0x80, 0x80, 0x80], 'has no end'],
    ['too little', [4, 1], 'ends early'],
  ])('%s are refused', (_name, bytes, message) => {
    expect(() => checkRuns(Uint8Array.from(bytes), 1, 100)).toThrow(message);
  });

  test('of deltas', () => {
    // Blocks of 8 in one part, 3 values that begin with 5 and grow by 2 and what two bits say.
    const bytes = Uint8Array.of(8, 1, 3, 10, 4, 2, 0b1001, 0);
    const values: number[] = [];
    expect(checkDeltas(bytes, 3, (value) => values.push(value))).toBe(8);
    expect(values).toEqual([5, 8, 12]);
    expect(() => checkDeltas(Uint8Array.of(8, 0, 3, 10), 3)).toThrow('cannot be');
    expect(() => checkDeltas(Uint8Array.of(8, 1, 3, ...Array<number>(99).fill(0x80)), 3)).toThrow(
      'no end',
    );
  });
});

test('headers that are nested without end are refused', () => {
  expect(() => new ThriftReader(new Uint8Array(100_000).fill(0x1c)).readStruct()).toThrow(
    'nested too deeply',
  );
});
