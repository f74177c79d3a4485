import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import {
  type ArrowMessage,
  indexArrow,
  withArrowFile,
} from '../../../engine/data/arrow/arrow-file.ts';
import { readArrow } from '../../../engine/data/arrow/read-arrow.ts';
import { readParquet } from '../../../engine/data/parquet/read-parquet.ts';
import { parseHubName } from '../../../engine/hub/hub-name.ts';
import { lookAtData } from '../../../engine/inputs/look-at-data.ts';
import { lookAtModel } from '../../../engine/inputs/look-at-model.ts';
import { trainingMemory } from '../../../engine/plan/training-memory.ts';
import { goldenPath } from '../../support/golden.ts';
import { HubWorld } from '../../support/hub-server/hub-world.ts';
import { hubRepository } from '../../support/hub-server/repositories.ts';
import {
  filesOf,
  metaMathRepository,
  tinyModelRepository,
} from '../../support/hub-server/tiny-repositories.ts';

/** One Zstandard frame of blocks that are stored as they are (RFC 8878, 3.1.1.2). */
function zstdOf(bytes: Buffer): Buffer {
  const parts: Uint8Array[] = [Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, 0x38])];
  const most = 2 ** 13;
  for (let at = 0; at < bytes.length; at += most) {
    const block = bytes.subarray(at, at + most);
    const header = Buffer.alloc(3);
    header.writeUIntLE((block.length << 3) | (at + most >= bytes.length ? 1 : 0), 0, 3);
    parts.push(header, block);
  }
  return Buffer.concat(parts);
}

/** What no compression makes much smaller. */
function noise(seed: string): string {
  return createHash('sha256').update(seed).digest('hex');
}

const IMPATIENT = { tries: 1, silenceMs: 300 };

describe('a model', () => {
  test('on the hub is as large as the same model here, and leaves the shared cache alone', async () => {
    const world = await HubWorld.create();
    const local = 'media/demo/base';
    const repository = world.hub.add(hubRepository('model', 'owner/tiny', await filesOf(local)));
    const there = await lookAtModel('owner/tiny', IMPATIENT);
    const here = await lookAtModel(local);
    expect(there.download).toBe(repository.files.get('model.safetensors')!.content.length);
    expect(here.download).toBe(0);
    const memory = await trainingMemory(there.model, 0);
    expect(memory).toEqual(await trainingMemory(here.model, 0));
    expect(memory.nf4).toBeLessThan(memory.stored);
    expect(await trainingMemory(here.model, memory.stored)).toMatchObject({ nf4: null });
    expect(await readdir(world.cache).catch(() => [])).toEqual([]);
    // Looked at again, only what may have changed is asked for.
    world.hub.requests.length = 0;
    await lookAtModel('owner/tiny', IMPATIENT);
    expect(world.hub.requests.some(({ path }) => path.includes('config.json'))).toBe(false);
  });

  test.each([
    [{ 'pytorch_model.bin': 'x', 'config.json': '{}' }, /only as pickled/],
    [{ 'README.md': 'x' }, /is it a language model\?/],
    [{ 'a.gguf': 'GGUF' }, /is a GGUF file/],
    [
      {
        'config.json': '{"architectures":["MambaForCausalLM"]}',
        'tokenizer.json': '{}',
        'model.safetensors': '',
      },
      /"MambaForCausalLM" is not known/,
    ],
  ])('that cannot be trained says why: %#', async (files, message) => {
    const world = await HubWorld.create(hubRepository('model', 'owner/x', files));
    await expect(lookAtModel('owner/x', IMPATIENT)).rejects.toThrow(message);
    expect(world.hub.requests.every(({ host }) => host === 'hub')).toBe(true);
  });

  test('that is gated is asked for', async () => {
    const world = await HubWorld.create();
    const tiny = await tinyModelRepository(path.join(world.folder, 'tiny'), 'owner/tiny');
    world.hub.add({ ...tiny, access: 'gated' });
    await expect(lookAtModel('owner/tiny', IMPATIENT)).rejects.toMatchObject({ code: 'hub.gated' });
  });
});

describe('data', () => {
  /** Files of a data set; what is looked at, and the bytes that were sent for it. */
  async function look(files: Record<string, string | Uint8Array>, name = 'owner/data') {
    const world = await HubWorld.create(hubRepository('dataset', 'owner/data', files));
    const found = await lookAtData(parseHubName(name)!, 5, IMPATIENT);
    // A redirect is followed with the same range.
    const ranges = [...new Set(world.hub.requests.flatMap(({ range }) => range ?? []))];
    return { values: found.rows.map(({ value }) => value), count: found.count, ranges, world };
  }
  const question = (index: number) => ({
    question: `What is ${index} + 1?\n"Now"`,
    answer: `${index + 1}`,
  });
  const questions = (count: number) => Array.from({ length: count }, (_, index) => question(index));
  const first = questions(5);
  const MANY = 20_000;

  test('lines of JSON', async () => {
    const text = questions(MANY)
      .map((row) => JSON.stringify(row))
      .join('\n');
    const { values, count, ranges } = await look({ 'train.jsonl': text });
    expect(values).toEqual(first);
    expect(ranges).toEqual(['bytes=0-262143']);
    expect(count.isExact).toBe(false);
    expect(Math.abs(count.rows / MANY - 1)).toBeLessThan(0.1);
  });

  test('a list of JSON, which is cut off anywhere', async () => {
    const { values, count } = await look({ 'data.json': JSON.stringify(questions(MANY), null, 1) });
    expect(values).toEqual(first);
    expect(Math.abs(count.rows / MANY - 1)).toBeLessThan(0.1);
  });

  test('lines under the name of JSON', async () => {
    const text = questions(MANY)
      .map((row) => JSON.stringify(row))
      .join('\n');
    expect((await look({ 'data.json': text })).values).toEqual(first);
  });

  test('a table whose cells have line breaks', async () => {
    const cell = (text: string) => `"${text.replaceAll('"', '""')}"`;
    const rows = questions(MANY).map((row) => `${cell(row.question)},${cell(row.answer)}`);
    const { values, count } = await look({ 'train.csv': `question,answer\n${rows.join('\n')}\n` });
    expect(values).toEqual(first);
    expect(Math.abs(count.rows / MANY - 1)).toBeLessThan(0.1);
  });

  test('rows that are longer than the first part', async () => {
    const rows = Array.from({ length: 8 }, (_, index) => ({ text: `${index}`.repeat(300_000) }));
    const { values, ranges } = await look({
      'train.jsonl': rows.map((row) => JSON.stringify(row)).join('\n'),
    });
    expect(values).toEqual(rows.slice(0, 5));
    expect(ranges.length).toBe(2);
  });

  test('a small file is counted', async () => {
    const { values, count } = await look({ 'train.jsonl': `${JSON.stringify(question(0))}\n` });
    expect([values.length, count]).toEqual([1, { rows: 1, isExact: true }]);
  });

  test('Parquet: the footer and the first group', async () => {
    const file = await readFile('test/engine/data/fixtures/rows.parquet');
    const { values, count } = await look({ 'data/train-00000-of-00001.parquet': file });
    const local: unknown[] = [];
    for await (const { value } of readParquet('test/engine/data/fixtures/rows.parquet')) {
      local.push(value);
    }
    expect(values).toEqual(local.slice(0, 5));
    expect(count).toEqual({ rows: local.length, isExact: true });
  });

  test.each([
    ['gz', gzipSync],
    ['zst', zstdOf],
  ] as const)(
    'lines that are compressed (.%s), which are cut off anywhere',
    async (ending, pack) => {
      const text = questions(MANY)
        .map((row) => JSON.stringify({ ...row, noise: noise(row.answer) }))
        .join('\n');
      const packed = pack(Buffer.from(text));
      expect(packed.length).toBeGreaterThan(2 ** 19);
      const { values, count, ranges } = await look({ [`train.jsonl.${ending}`]: packed });
      expect(values).toMatchObject(first);
      expect(ranges).toEqual(['bytes=0-262143']);
      expect(count.isExact).toBe(false);
      expect(Math.abs(count.rows / MANY - 1)).toBeLessThan(0.1);
      const small = await look({
        [`train.csv.${ending}`]: pack(Buffer.from('question,answer\na,b\n')),
      });
      expect([small.values, small.count]).toEqual([
        [{ question: 'a', answer: 'b' }],
        { rows: 1, isExact: true },
      ]);
    },
  );

  test('what is compressed to nothing is not unpacked to the end, and damage is told', async () => {
    const rows = `${JSON.stringify(question(0))}\n`.repeat(20);
    const { values, count } = await look({
      'train.jsonl.gz': gzipSync(Buffer.concat([Buffer.from(rows), Buffer.alloc(2 ** 26, 10)])),
    });
    expect(values).toHaveLength(5);
    expect(count.isExact).toBe(false);
    await expect(look({ 'train.jsonl.gz': 'no gzip' })).rejects.toMatchObject({
      code: 'data.corrupt',
    });
  });

  test.each(['file', 'stream'])('Arrow as a %s: the batches that are whole', async (kind) => {
    const stream = await readFile(goldenPath('data', 'stream.arrow'));
    const { messages } = await withArrowFile(goldenPath('data', 'stream.arrow'), indexArrow);
    const bytesOf = ({ start, length }: ArrowMessage) => stream.subarray(start, start + length);
    const [schema, batch] = messages as [ArrowMessage, ArrowMessage];
    const copies = Math.ceil(2 ** 19 / batch.length);
    const many = Buffer.concat([bytesOf(schema), ...Array(copies).fill(bytesOf(batch))]);
    const file = Buffer.concat([Buffer.from('ARROW1\0\0'), many, Buffer.from('footer: ARROW1')]);
    const { values, count, ranges } = await look({ 'train.arrow': kind === 'file' ? file : many });
    const local: unknown[] = [];
    for await (const { value } of readArrow(goldenPath('data', 'stream.arrow'))) local.push(value);
    expect(values).toEqual(local.slice(0, 5));
    expect(ranges).toEqual(['bytes=0-262143']);
    expect(Math.abs(count.rows / (copies * batch.rows) - 1)).toBeLessThan(0.1);
  });

  test('a small Arrow file, and one that is none', async () => {
    const file = await readFile(goldenPath('data', 'file.arrow'));
    const { count } = await look({ 'train.arrow': file });
    expect(count).toMatchObject({ isExact: true });
    await expect(look({ 'train.arrow': 'x'.repeat(2 ** 19) })).rejects.toThrow(
      /come in one piece of more than|neither an Arrow file nor a stream/,
    );
  });

  test('where there are no rows that are read, those of the edition that the hub makes', async () => {
    const world = await HubWorld.create(
      hubRepository('dataset', 'owner/script', { 'script.py': 'x' }),
    );
    const name = parseHubName('owner/script')!;
    await expect(lookAtData(name, 5, IMPATIENT)).rejects.toThrow(/no Parquet edition of it/);
    const parquet = await readFile('test/engine/data/fixtures/rows.parquet');
    world.hub.add(
      hubRepository(
        'dataset',
        'owner/script',
        { 'default/train/0000.parquet': parquet },
        { branches: new Set(['refs/convert/parquet']) },
      ),
    );
    expect((await lookAtData(name, 5, IMPATIENT)).rows).toHaveLength(5);
  });

  test('several files of the split that is named', async () => {
    const lines = questions(10)
      .map((row) => JSON.stringify(row))
      .join('\n');
    const { count } = await look(
      { 'data/test-1.jsonl': lines, 'data/test-2.jsonl': lines, 'data/train.jsonl': 'x' },
      'owner/data:test',
    );
    expect(count).toEqual({ rows: 20, isExact: false });
  });

  test('lists in lists without end', async () => {
    await expect(look({ 'data.json': '['.repeat(3_000_000) })).rejects.toMatchObject({
      code: 'data.corrupt',
    });
  });

  test('a data set of the hub itself', async () => {
    await HubWorld.create(metaMathRepository());
    const { rows } = await lookAtData(parseHubName('meta-math/MetaMathQA-40K')!, 5, IMPATIENT);
    expect(rows.length).toBe(5);
    expect(Object.keys(rows[0]!.value)).toContain('query');
  });
});
