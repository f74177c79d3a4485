import { readFile, truncate } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { MAX_LINE_BYTES } from '../../../engine/data/lines.ts';
import { type BadRow, isRow, type Row } from '../../../engine/data/row.ts';
import { readRows } from '../../../engine/data/rows.ts';
import { jsonl, useTempFiles } from './temp-files.ts';

const write = useTempFiles();
const fixture = (name: string): string => path.join(import.meta.dirname, 'fixtures', name);

async function all(...paths: string[]): Promise<(Row | BadRow)[]> {
  const rows: (Row | BadRow)[] = [];
  for await (const row of readRows(paths)) rows.push(row);
  return rows;
}

/** Line and value of good rows, line and reason of bad ones. */
async function brief(...paths: string[]): Promise<unknown[]> {
  const rows = await all(...paths);
  return rows.map((row) => [row.line, isRow(row) ? row.value : row.reason]);
}

describe('.jsonl', () => {
  test('byte order mark, CRLF, blank lines and a missing last line break', async () => {
    const file = await write('a.jsonl', '\uFEFF{"a":1}\r\n\r\n   \n{"a":"x\\r\\n"}\n\n{"a":3}');
    expect(await brief(file)).toEqual([
      [1, { a: 1 }],
      [4, { a: 'x\r\n' }],
      [6, { a: 3 }],
    ]);
  });

  test('rows that are none are bad rows with their line', async () => {
    const good = Buffer.from('{"a":1}\n');
    const invalid = Buffer.concat([
      Buffer.from('{"a":"'),
      Buffer.from([0xc3, 0x28]),
      Buffer.from('"}\n'),
    ]);
    const file = await write(
      'bad.jsonl',
      Buffer.concat([good, invalid, Buffer.from('{"a":\n[1]\nnull\n7\nnot json\n'), good]),
    );
    expect(await brief(file)).toEqual([
      [1, { a: 1 }],
      [2, 'the line is not valid UTF-8 (save the file as UTF-8)'],
      [3, expect.stringMatching(/^the line is not valid JSON \(Unexpected end of JSON input\)$/)],
      [4, 'the row is an array, not an object with columns'],
      [5, 'the row is null, not an object with columns'],
      [6, 'the row is a number, not an object with columns'],
      [7, expect.stringMatching(/^the line is not valid JSON \([^"]*\)$/)],
      [8, { a: 1 }],
    ]);
  });

  test('lines longer than one chunk of the file', async () => {
    const long = 'é'.repeat(400_000);
    const file = await write('long.jsonl', jsonl({ a: long }, { a: 'b' }));
    expect(await brief(file)).toEqual([
      [1, { a: long }],
      [2, { a: 'b' }],
    ]);
  });

  test('a line beyond every measure is a bad row and is not kept', async () => {
    const file = await write(
      'giant.jsonl',
      Buffer.concat([Buffer.alloc(MAX_LINE_BYTES + 1, 'x'), Buffer.from('\n{"a":1}')]),
    );
    expect(await brief(file)).toEqual([
      [1, 'the line has 64 MiB, more than the 64 MiB that a row may have'],
      [2, { a: 1 }],
    ]);
  });

  test('a file that is one endless line is no text', async () => {
    const file = await write('endless.jsonl', '{"a":1}\n');
    await truncate(file, 10 ** 11);
    await expect(all(file)).rejects.toMatchObject({
      code: 'data.corrupt',
      message: `${file} is no text: its line 2 has more than 256 MiB; choose a file with one row a line.`,
    });
  });

  test('progress rises to 1 over several files', async () => {
    const first = await write('p1.jsonl', jsonl({ a: 1 }, { a: 2 }));
    const second = await write('p2.jsonl', jsonl({ a: 1 }, { a: 2 }, { a: 3 }, { a: 4 }));
    const progress = (await all(first, `${second}[1:3]`)).map((row) => row.progress);
    expect(progress).toEqual([0.25, 0.5, 0.75, 1]);
  });
});

describe('.json', () => {
  test('an array, one object, or lines', async () => {
    const array = await write('array.json', '\uFEFF[{"a":1},\n\n{"a":2}, 3]');
    const object = await write('object.json', '{\n"a": 1\n}');
    const lines = await write('lines.json', '{"a":1}\n{"a":2}\n{"a":\n');
    const notObject = 'the row is a number, not an object with columns';
    expect(await brief(array)).toEqual([
      [1, { a: 1 }],
      [2, { a: 2 }],
      [3, notObject],
    ]);
    expect(await brief(object)).toEqual([[1, { a: 1 }]]);
    expect((await brief(lines)).slice(0, 2)).toEqual([
      [1, { a: 1 }],
      [2, { a: 2 }],
    ]);
    expect(await brief(lines)).toHaveLength(3);
  });

  test.each([
    ['broken.json', '[{"a":1},'],
    ['words.json', 'hello'],
    ['latin1.json', Buffer.from('[{"a":"\xe9"}]', 'latin1')],
  ])('%s is refused by name', async (name, content) => {
    const file = await write(name, content);
    await expect(all(file)).rejects.toMatchObject({
      code: 'data.corrupt',
      message: expect.stringContaining(name),
    });
  });

  test('an empty file has no rows', async () => {
    expect(await all(await write('empty.json', ' \n'))).toEqual([]);
  });
});

describe('.csv', () => {
  test('a header of very many columns takes time in proportion to them', async () => {
    const names = Array.from({ length: 250_000 }, (_, index) => `c${index}`);
    const file = await write('wide.csv', `${names.join(',')}\n1\n`);
    expect(await brief(file)).toEqual([[2, 'the row has 1 fields, the header 250000']]);
  });

  test('quotes, line breaks in fields, CRLF, byte order mark, blank lines', async () => {
    const file = await write(
      'a.csv',
      '\uFEFF"prompt","comp,letion"\r\n"one\r\ntwo","say ""hi"""\r\n\r\nplain 5" disk,é\r\nlast,\r\n',
    );
    expect(await brief(file)).toEqual([
      [2, { prompt: 'one\r\ntwo', 'comp,letion': 'say "hi"' }],
      [5, { prompt: 'plain 5" disk', 'comp,letion': 'é' }],
      [6, { prompt: 'last', 'comp,letion': '' }],
    ]);
  });

  test('bad rows', async () => {
    const file = await write('bad.csv', Buffer.from('a,b\n1,2,3\n1\n\xff,2\n1,2\n', 'latin1'));
    expect(await brief(file)).toEqual([
      [2, 'the row has 3 fields, the header 2'],
      [3, 'the row has 1 fields, the header 2'],
      [4, 'the row is not valid UTF-8 (save the file as UTF-8)'],
      [5, { a: '1', b: '2' }],
    ]);
  });

  test.each([
    ['excel.csv', 'ticket;"re;ply, all"\n1,5;"a;b"\n', { ticket: '1,5', 're;ply, all': 'a;b' }],
    ['tabs.tsv', 'a\tb\n1,2\t3;4\n', { a: '1,2', b: '3;4' }],
    ['one.csv', 'text\na;b\n', { text: 'a;b' }],
  ])('what separates fields is told by the header: %s', async (name, content, value) => {
    expect(await brief(await write(name, content))).toEqual([[2, value]]);
  });

  test('rows with another number of fields cost no more than others', async () => {
    const file = await write('many.csv', `a,b\n${'1,2,3\n'.repeat(20_000)}`);
    const stacks = vi.spyOn(Error, 'captureStackTrace');
    onTestFinished(() => stacks.mockRestore());
    expect((await all(file)).length).toBe(20_000);
    expect(stacks).not.toHaveBeenCalled();
  });

  test.each([
    ['twice.csv', 'a,b,a\n1,2,3\n', /twice\.csv:1 is damaged: .*column "a" twice/],
    ['open.csv', 'a,b\n1,"2\n3,4\n', /open\.csv(:\d+)? is damaged: a quote .* never closed/],
    ['header.csv', Buffer.from('a,\xff\n', 'latin1'), /header\.csv:1 is damaged: .*UTF-8/],
  ])('%s', async (name, content, message) => {
    const file = await write(name, content);
    await expect(all(file)).rejects.toMatchObject({
      code: 'data.corrupt',
      message: expect.stringMatching(message),
    });
  });
});

describe('.parquet', () => {
  test('rows across row groups, with nested columns', async () => {
    const rows = await all(fixture('rows.parquet'));
    expect(rows.map((row) => row.line)).toEqual([1, 2, 3, 4, 5]);
    expect(rows[4]).toMatchObject({
      progress: 1,
      value: {
        question: 'q4 é',
        answer: 'a4',
        n: 4n,
        messages: [
          { role: 'user', content: 'u4' },
          { role: 'assistant', content: 'r4' },
        ],
      },
    });
  });

  test('damage is told by name', async () => {
    const whole = await readFile(fixture('rows.parquet'));
    const cut = await write('cut.parquet', whole.subarray(0, -20));
    const hole = await write('hole.parquet', Buffer.from(whole).fill(0xff, 8, 300));
    const empty = await write('empty.parquet', '');
    for (const file of [cut, hole, empty, fixture('invalid-utf8.parquet')]) {
      await expect(all(file)).rejects.toMatchObject({
        code: 'data.corrupt',
        message: expect.stringContaining(path.basename(file)),
      });
    }
  });
});

test('.txt: a row per line that is not blank', async () => {
  const file = await write('a.txt', 'one\r\n\n  two \nthree');
  expect(await brief(file)).toEqual([
    [1, { text: 'one' }],
    [3, { text: '  two ' }],
    [4, { text: 'three' }],
  ]);
});

describe('paths', () => {
  test.each([
    ['[:2]', [1, 2]],
    ['[1:3]', [2, 3]],
    ['[3:]', [4, 5]],
    ['[:]', [1, 2, 3, 4, 5]],
    ['[4:100]', [5]],
    ['[100:200]', []],
  ])('slice %s', async (slice, lines) => {
    const file = await write('slice.txt', 'a\nb\nc\nd\ne\n');
    const rows = [...(await all(file + slice)), ...(await all(fixture('rows.parquet') + slice))];
    expect(rows.map((row) => row.line)).toEqual([...lines, ...lines]);
  });

  test.each(['[5:2]', '[3:3]', '[x]', '[:10%]', '[-5:]', '[]', '[1:2:3]'])(
    'slice %s is refused',
    async (slice) => {
      await expect(all(`train.jsonl${slice}`)).rejects.toMatchObject({
        code: 'config.invalid_value',
        message: expect.stringContaining(`train.jsonl${slice}`),
      });
    },
  );

  test('files that are not there, folders and unknown formats', async () => {
    const folder = path.dirname(await write('folder.txt', 'a'));
    for (const name of ['none.jsonl', 'none.json', 'none.csv', 'none.parquet', 'none.txt']) {
      await expect(all(path.join(folder, name))).rejects.toMatchObject({
        code: 'data.not_found',
        message: expect.stringMatching(new RegExp(`${name}: it does not exist`)),
      });
    }
    await expect(all(folder)).rejects.toMatchObject({ code: 'config.invalid_value' });
    await expect(all('rows.xlsx')).rejects.toThrow(
      /rows\.xlsx by its name; it must end in \.jsonl/,
    );
  });
});
