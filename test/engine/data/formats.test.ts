import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { columnFromArray, tableFromColumns, tableToIPC } from '@uwdata/flechette';
import { describe, expect, test } from 'vitest';
import { dataFormat } from '../../../engine/data/data-format.ts';
import { type BadRow, isRow, type Row } from '../../../engine/data/row.ts';
import { readRows } from '../../../engine/data/rows.ts';
import { LorafaError } from '../../../engine/errors.ts';
import { Random } from '../../../engine/random.ts';
import { goldenJson, goldenPath } from '../../support/golden.ts';
import { useTempFiles } from './temp-files.ts';

/* Files that Python's libraries wrote: see test/reference/make_data_golden.py. */

const write = useTempFiles();
const golden = (...parts: string[]): string => goldenPath('data', ...parts);

type Values = Readonly<Record<string, unknown>>;
const ROWS = goldenJson<readonly Values[]>('data', 'rows.json');

/** Values as JSON has them. */
function plain(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (_, each) => (typeof each === 'bigint' ? Number(each) : each)),
  );
}

async function all(rows: AsyncIterable<Row | BadRow>): Promise<readonly (Row | BadRow)[]> {
  const found: (Row | BadRow)[] = [];
  for await (const row of rows) found.push(row);
  return found;
}

async function valuesOf(file: string): Promise<unknown> {
  return plain((await all(readRows([file]))).map((row) => (isRow(row) ? row.value : row.reason)));
}

function only(...columns: readonly string[]): readonly Values[] {
  return ROWS.map((row) => Object.fromEntries(columns.map((name) => [name, row[name]])));
}

/** The start of a file under another name of its kind. */
async function cut(name: string, share: number): Promise<string> {
  const bytes = await readFile(golden(name));
  return write(`cut-${name}`, bytes.subarray(0, Math.floor(bytes.length * share)));
}

async function problemOf(file: string): Promise<string> {
  const error: unknown = await valuesOf(file).then(
    () => 'none',
    (problem: unknown) => problem,
  );
  if (!(error instanceof LorafaError)) throw new Error(`no error of ours: ${String(error)}`);
  expect(error.code).toBe('data.corrupt');
  return error.message;
}

const ARROW = ['file', 'stream', 'lz4', 'zstd', 'large'].map((name) => `${name}.arrow`);

describe('Arrow', () => {
  test.each(ARROW)('%s holds the rows that were written', async (name) => {
    expect(await valuesOf(golden(name))).toEqual(ROWS);
  });

  test('views, dictionaries and files without rows', async () => {
    for (const name of ['views.arrow', 'dictionary.arrow']) {
      expect(await valuesOf(golden(name))).toEqual(only('question', 'answer'));
    }
    expect(await valuesOf(golden('empty.arrow'))).toEqual([]);
  });

  test('what save_to_disk leaves', async () => {
    const file = golden('saved', 'train', 'data-00000-of-00001.arrow');
    expect(await valuesOf(file)).toEqual(ROWS);
    expect((await all(readRows([file]))).map(({ line }) => line)).toEqual(
      ROWS.map((_, i) => i + 1),
    );
  });

  test('rows are found without those before them', async () => {
    const rows = await dataFormat('x.arrow').open!(golden('lz4.arrow'));
    expect([rows.rows, Array.from(rows.blocks)]).toEqual([23, [0, 9, 18]]);
    expect(plain((await all(rows.read(19, 21))).map((row) => isRow(row) && row.value))).toEqual(
      ROWS.slice(19, 21),
    );
    expect((await all(rows.read(3, 5))).map(({ line }) => line)).toEqual([4, 5]);
  });

  test('a column that is there twice is told', async () => {
    const column = columnFromArray(['a']);
    const table = tableFromColumns([
      ['text', column],
      ['text', column],
    ]);
    const file = await write('twice.arrow', tableToIPC(table, { format: 'stream' })!);
    expect(await problemOf(file)).toMatch(/damaged: its schema names a column twice;/);
  });

  test.each(ARROW)('%s that is cut short is told', async (name) => {
    for (const share of [0.3, 0.6, 0.97]) {
      const file = await cut(name, share);
      // A stream may end behind any of its messages.
      const problem = await problemOf(file).catch((error: Error) => error.message);
      expect(problem).toMatch(
        /(damaged: it ends early; write or download it again|no error of ours)/,
      );
    }
    expect(await problemOf(await write(`no-${name}`, '{"not":"arrow"}'))).toMatch(
      /it is neither an Arrow file nor a stream/,
    );
  });

  // Fuzzing found these bytes, which kept the library busy until its time was over.
  test.each([
    ['dictionary.arrow', 386, 0x40, /a dictionary has more values than bytes for them/],
    ['zstd.arrow', 4683, 0x08, /a column is cut short/],
    ['zstd.arrow', 3243, 0x08, /a column is cut short/],
  ])('%s with byte %i broken is refused at once', async (name, at, byte, message) => {
    const bytes = await readFile(golden(name));
    bytes[at] = byte;
    expect(await problemOf(await write(name, bytes))).toMatch(message);
  });

  test.each(['stream.arrow', 'lz4.arrow', 'views.arrow', 'dictionary.arrow'])(
    'of any byte of %s that is changed is read what is there, or it is told',
    async (name) => {
      const bytes = await readFile(golden(name));
      const random = new Random(1);
      for (let time = 0; time < 50; time++) {
        const changed = Buffer.from(bytes);
        changed[random.below(bytes.length)] = random.below(256);
        const file = await write(`changed-${name}`, changed);
        const outcome: unknown = await valuesOf(file).catch((error: unknown) => error);
        if (outcome instanceof Error) expect(outcome).toBeInstanceOf(LorafaError);
      }
    },
  );
});

describe('compressed text', () => {
  test.each([
    'rows.jsonl.gz',
    'members.jsonl.gz',
    'rows.json.gz',
    'rows.jsonl.zst',
    'frames.jsonl.zst',
  ])('%s holds the rows that were written', async (name) => {
    expect(await valuesOf(golden(name))).toEqual(ROWS);
  });

  test.each(['rows.tsv.gz', 'rows.tsv.zst'])(
    '%s, whose rows go over several lines',
    async (name) => {
      expect(await valuesOf(golden(name))).toEqual(only('question', 'answer'));
    },
  );

  test('what a text refers back to may be far away', async () => {
    const text = (index: number): string =>
      createHash('sha256').update(String(index)).digest('hex');
    const once = Array.from({ length: 2200 }, (_, index) => ({ text: text(index) }));
    expect(await valuesOf(golden('far.txt.zst'))).toEqual([...once, ...once]);
  });

  test('progress is that of the file', async () => {
    const rows = await all(readRows([golden('rows.jsonl.zst')]));
    expect(rows.at(-1)!.progress).toBe(1);
    expect(rows.every(({ progress }) => progress > 0 && progress <= 1)).toBe(true);
  });

  test.each([
    ['rows.jsonl.gz', /damaged: unexpected end of file; pack or download it again/],
    ['rows.json.gz', /damaged: unexpected end of file/],
    ['rows.jsonl.zst', /damaged: it ends early; pack or download it again/],
    ['frames.jsonl.zst', /damaged: it ends early/],
  ])('%s that is cut short is told', async (name, problem) => {
    expect(await problemOf(await cut(name, 0.8))).toMatch(problem);
  });

  test.each(['x.jsonl.gz', 'x.jsonl.zst'])('text under the name %s is told', async (name) => {
    expect(await problemOf(await write(name, '{"text":"not packed at all"}\n'))).toMatch(
      /is damaged: (incorrect header check|it is not what Zstandard writes)/,
    );
  });

  test('a text that was made to fill memory is given up', async () => {
    const file = await write('bomb.jsonl.zst', zstdBomb(2000, 0x0a));
    expect(await problemOf(file)).toMatch(/it unpacks to more than 2000 times its size/);
    const wide = await write('wide.jsonl.zst', zstdBomb(300, 0x61, 0x90));
    expect(await problemOf(wide)).toMatch(/refers back by more than 128 MiB/);
  });

  test('names that say nothing that is read', () => {
    for (const name of ['rows.parquet.gz', 'rows.arrow.zst', 'rows.gz', 'rows.jsonl.bz2']) {
      expect(() => dataFormat(path.join('/data', name))).toThrow(
        /must end in \.jsonl, .*\.gz, \.zst/,
      );
    }
  });
});

/**
 * A Zstandard frame of blocks that each repeat one byte 128 Ki times. Source: RFC 8878.
 *
 * @param window byte of the window descriptor; by default 128 KiB
 */
function zstdBomb(blocks: number, byte: number, window = 0x38): Buffer {
  const block = (isLast: boolean): number[] => {
    const header = (isLast ? 1 : 0) + 2 + 2 ** 17 * 8;
    return [header & 255, (header >> 8) & 255, header >> 16, byte];
  };
  return Buffer.from([
    ...[0x28, 0xb5, 0x2f, 0xfd, 0x00, window],
    ...Array.from({ length: blocks }, (_, index) => block(index === blocks - 1)).flat(),
  ]);
}
