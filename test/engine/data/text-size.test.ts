import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { MemoryRows } from '../../../engine/data/streaming/memory-rows.ts';
import { textSize } from '../../../engine/data/text-size.ts';
import { isStreamed } from '../../../engine/plan/run-data.ts';
import { useTempFiles } from './temp-files.ts';

const write = useTempFiles();
const MIB = 2 ** 20;

/** The end of a gzip file of a text of so many bytes; nobody unpacks it. */
function gzipOf(bytes: number): Buffer {
  const file = Buffer.from(gzipSync('x'));
  file.writeUInt32LE(bytes, file.length - 4);
  return file;
}

/** The head of a Zstandard frame, and some of what follows. */
function zstdFrame(...head: readonly number[]): Buffer {
  return Buffer.concat([Buffer.from([0x28, 0xb5, 0x2f, 0xfd, ...head]), Buffer.alloc(20)]);
}

const U32 = (value: number): readonly number[] =>
  [0, 8, 16, 24].map((bits) => (value >>> bits) & 255);

test.each([
  ['plain.jsonl', Buffer.alloc(123), 123],
  ['said.jsonl.gz', gzipOf(5000), 5000],
  // Of several parts the last says its own size: less than all of them take packed.
  ['parts.jsonl.gz', Buffer.concat([Buffer.alloc(1000), gzipOf(10)]), 4 * 1021],
  ['one.jsonl.zst', zstdFrame(0x20, 200), 200],
  ['two.jsonl.zst', zstdFrame(0x40, 0, 0xff, 0xff), 65535 + 256],
  ['four.jsonl.zst', zstdFrame(0x80, 0, ...U32(3_000_000_000)), 3_000_000_000],
  ['eight.jsonl.zst', zstdFrame(0xc1, 0, 9, ...U32(0), ...U32(1)), 2 ** 32],
  ['unsaid.jsonl.zst', zstdFrame(0x00, 0), 4 * 26],
  ['strange.jsonl.zst', Buffer.alloc(50, 1), 200],
  ['empty.jsonl.gz', Buffer.alloc(0), 0],
])('%s', async (name, content, bytes) => {
  expect(await textSize(await write(name, content))).toBe(bytes);
});

test('what is packed is streamed by what it unpacks to', async () => {
  const file = await write('packed.jsonl.gz', gzipOf(257 * MIB));
  expect(await isStreamed({ streaming: 'auto' }, [{ paths: [file] }])).toBe(true);
  expect(await isStreamed({ streaming: 'auto' }, [{ paths: [`${file}[:100]`] }])).toBe(false);
});

test.each([
  ['rows.jsonl.gz', 'unpack it, or set data.streaming to false'],
  ['rows.csv.gz', 'unpack it and save it as .jsonl, .parquet or .arrow, or set'],
])('%s that unpacks to too much is refused before it is read', async (name, advice) => {
  const file = await write(name, gzipOf(65 * MIB));
  const read = () => {
    throw new Error('it was read');
  };
  await expect(MemoryRows.open(file, read)).rejects.toMatchObject({
    code: 'config.invalid_value',
    message: expect.stringContaining(
      `its text (about 65 MiB) is more than the 64 MiB that are kept in memory then; ${advice}`,
    ),
  });
});

test('what says too little about itself is given up while it is read', async () => {
  const file = await write('liar.jsonl.gz', gzipOf(10));
  const text = 'x'.repeat(2 ** 24);
  let rows = 0;
  async function* read(name: string) {
    for (; rows < 1000; rows++) yield { value: { text }, file: name, line: rows, progress: 0 };
  }
  await expect(MemoryRows.open(file, read)).rejects.toMatchObject({ code: 'config.invalid_value' });
  expect(rows).toBeLessThan(17);
});
