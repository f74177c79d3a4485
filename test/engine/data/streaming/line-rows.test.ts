import { appendFile, readdir, rename, rm, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { jsonlRow, readJsonl } from '../../../../engine/data/jsonl.ts';
import { type BadRow, isRow, type Row } from '../../../../engine/data/row.ts';
import { LineRows } from '../../../../engine/data/streaming/line-rows.ts';
import { Random } from '../../../../engine/random.ts';
import { useTempFiles } from '../temp-files.ts';

const write = useTempFiles();

beforeEach(async () => {
  vi.stubEnv('LORAFA_CACHE_DIR', path.join(path.dirname(await write('any', '')), 'cache'));
  onTestFinished(() => {
    vi.unstubAllEnvs();
  });
});

/** Some hundred kilobytes of rows with all that may stand between them. */
function lines(seed: number, count: number): string {
  const random = new Random(seed);
  const line = (index: number): string => {
    const text = 'é'.repeat(random.below(400));
    switch (random.below(12)) {
      case 0:
        return '';
      case 1:
        return ' \t';
      case 2:
        return '{"broken';
      default:
        return JSON.stringify({ index, text });
    }
  };
  const breaks = ['\n', '\r\n'];
  return Array.from({ length: count }, (_, i) => `${line(i)}${breaks[random.below(2)]}`).join('');
}

async function all(rows: AsyncIterable<Row | BadRow>): Promise<unknown[]> {
  const found: unknown[] = [];
  for await (const row of rows) found.push([row.line, isRow(row) ? row.value : row.reason]);
  return found;
}

/** All rows of a file in the order of their blocks from the last to the first, put in order again. */
async function byBlocks(rows: LineRows): Promise<unknown[]> {
  const found: unknown[][] = [];
  for (let block = rows.blocks.length - 1; block >= 0; block--) {
    const [start, end] = [rows.blocks[block]!, rows.blocks[block + 1] ?? rows.rows];
    const middle = Math.floor((start + end) / 2);
    found.unshift([
      ...(await all(rows.read(start, middle))),
      ...(await all(rows.read(middle, end))),
    ]);
  }
  return found.flat();
}

describe('rows found by their lines', () => {
  test.each([
    ['with all that may stand between rows', lines(1, 1500)],
    ['that begin with a byte order mark', `\uFEFF${lines(2, 400)}`],
    ['of which the last has no line break', `${lines(3, 300)}{"index":"last"}`],
    ['in a file without any', '\n \n'],
    ['in an empty file', ''],
  ])('%s', async (_, content) => {
    const file = await write('rows.jsonl', content);
    const rows = await LineRows.open(file, jsonlRow);
    const expected = await all(readJsonl(file));
    expect(rows.rows).toBe(expected.length);
    expect(await byBlocks(rows)).toEqual(expected);
    if (content.length > 200_000) expect(rows.blocks.length).toBeGreaterThan(4);
  });

  test('are found once: the index is kept for the file as it is', async () => {
    const file = await write('kept.jsonl', lines(4, 500));
    const scans: number[] = [];
    const open = () => LineRows.open(file, jsonlRow, (share) => scans.push(share));
    const first = await open();
    expect(scans.at(-1)).toBe(1);
    scans.length = 0;
    const again = await open();
    expect(scans).toEqual([]);
    expect(again.digest).toBe(first.digest);
    expect(await byBlocks(again)).toEqual(await byBlocks(first));
    // A damaged index is made again.
    const folder = path.join(process.env['LORAFA_CACHE_DIR']!, 'line-indexes');
    for (const name of await readdir(folder)) await appendFile(path.join(folder, name), 'x');
    expect((await open()).digest).toBe(first.digest);
    expect(scans.at(-1)).toBe(1);
    // So is that of a file that was written since, however it came by the same size.
    scans.length = 0;
    await utimes(file, 1, 1);
    await open();
    expect(scans.at(-1)).toBe(1);
  });

  describe('of which indexes are kept', () => {
    const folder = () => path.join(process.env['LORAFA_CACHE_DIR']!, 'line-indexes');
    const open = async (name: string) => LineRows.open(await write(name, lines(8, 20)), jsonlRow);
    const age = (name: string, days: number) => {
      const time = Date.now() / 1000 - days * 24 * 60 * 60;
      return utimes(path.join(folder(), name), time, time);
    };

    /** Opens a file, and says which index that made. */
    async function indexOf(name: string): Promise<string> {
      const before = new Set(await readdir(folder()).catch(() => []));
      await open(name);
      const made = (await readdir(folder())).filter((each) => !before.has(each));
      expect(made).toHaveLength(1);
      return made[0]!;
    }

    test('those of files that are gone or were changed go, and those of files that are away stay', async () => {
      const gone = await indexOf('gone.jsonl');
      const changed = await indexOf('changed-since.jsonl');
      const away = await indexOf('disk/away.jsonl');
      const kept = await indexOf('there.jsonl');
      await rm(await write('gone.jsonl', ''));
      await write('changed-since.jsonl', 'x');
      await rename(
        path.dirname(await write('disk/away.jsonl', lines(8, 20))),
        `${await write('x', '')}2`,
      );
      const next = await indexOf('next.jsonl');
      expect(await readdir(folder())).toEqual(expect.arrayContaining([away, kept, next]));
      for (const name of [gone, changed]) expect(await readdir(folder())).not.toContain(name);
    });

    test('what was not used for a month goes, whatever it is, and use keeps it', async () => {
      const [unused, used] = [await indexOf('unused.jsonl'), await indexOf('used.jsonl')];
      await writeFile(path.join(folder(), 'old.bin'), 'of an earlier version');
      await writeFile(path.join(folder(), 'strange.bin'), '');
      for (const name of [unused, used, 'old.bin']) await age(name, 31);
      await LineRows.open(path.join(path.dirname(folder()), '..', 'used.jsonl'), jsonlRow);
      await indexOf('another.jsonl');
      const left = await readdir(folder());
      expect(left).toEqual(expect.arrayContaining([used, 'strange.bin']));
      for (const name of [unused, 'old.bin']) expect(left).not.toContain(name);
    });
  });

  test('are refused where the file is changed meanwhile', async () => {
    const file = await write('changed.jsonl', lines(5, 50));
    const rows = await LineRows.open(file, jsonlRow);
    await writeFile(file, lines(6, 50));
    await expect(all(rows.read(0, 10))).rejects.toThrow(
      /changed\.jsonl was changed while it was read/,
    );
  });

  test('a digest tells other rows apart', async () => {
    const open = async (content: string) =>
      (await LineRows.open(await write('digest.jsonl', content), jsonlRow)).digest;
    const rows = lines(7, 300);
    const [one, same, other] = [await open(rows), await open(rows), await open(`${rows} `)];
    expect(same).toBe(one);
    expect(other).not.toBe(one);
  });
});
