import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { countRows } from '../../../../engine/data/count-rows.ts';
import { dataFormat } from '../../../../engine/data/data-format.ts';
import { loadDataset } from '../../../../engine/data/dataset.ts';
import { readRows } from '../../../../engine/data/rows.ts';
import { dataOptions } from '../../../engine/data/data-options.ts';
import { byteLevelTokenizer } from '../../../engine/tokenizer/tiny-tokenizer.ts';
import type { FuzzedReader, InputKind } from '../reader.ts';
import { jsonBytes, jsonLines } from './tiny-files.ts';

const CHAT = {
  messages: [
    { role: 'user', content: 'What is 1 + 1?' },
    { role: 'assistant', content: [{ type: 'text', text: '2' }] },
  ],
  tools: [{ type: 'function', function: { name: 'add', parameters: { type: 'object' } } }],
};
const CALLS = {
  messages: [
    { role: 'user', content: '1 + 1?' },
    { role: 'assistant', content: '', tool_calls: [{ name: 'add', arguments: '{"a": 1}' }] },
    { role: 'tool', content: '2', tool_call_id: 'x' },
    { role: 'assistant', content: '2' },
  ],
  system: 'Use functions.',
  tools: '[{"name": "add"}]',
};
const SHARE_GPT = {
  conversations: [
    { from: 'human', value: 'Hi' },
    { from: 'function_call', value: '{"name": "greet", "arguments": {}}' },
    { from: 'observation', value: 'greeted' },
    { from: 'gpt', value: 'Hello.' },
  ],
};
const PAIR = { prompt: 'Once upon a', completion: ' time' };
const ALPACA = { instruction: 'Say hi.', input: '', output: 'hi' };
const TEXT = { text: 'Some text.' };

/** Writes functions and calls. */
const CHAT_TEMPLATE =
  "{% if tools %}{{ tools | tojson }}{% endif %}{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' + (m.content or '') }}{% for call in m.tool_calls or [] %}{{ call | tojson }}{% endfor %}{{ '<|im_end|>\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";

/** A reader of data files with the extension, as a run reads them. */
function dataReader(
  name: string,
  extension: string,
  kind: InputKind,
  seeds: () => Promise<readonly Uint8Array[]> | readonly Uint8Array[],
): FuzzedReader {
  return {
    name,
    kind,
    prepare: async (folder) => {
      const file = path.join(folder, `rows${extension}`);
      const tokenizer = byteLevelTokenizer({ chatTemplate: CHAT_TEMPLATE });
      const options = dataOptions({ max_length: 512, max_bad_rows: 1_000_000 });
      return {
        file,
        seeds: await seeds(),
        read: async () => {
          // Not all rows make examples, but all are read.
          for await (const row of readRows([file])) void row;
          // Lines are counted without being read, other rows as they are read.
          if (['.jsonl', '.txt'].includes(extension)) await countRows(file);
          await loadDataset([`${file}[:100]`], tokenizer, options);
          // As data are read that are streamed.
          const rows = await dataFormat(file).open?.(file);
          for (const [at, start] of Array.from(rows?.blocks ?? []).entries()) {
            for await (const row of rows!.read(start, rows!.blocks[at + 1] ?? rows!.rows)) void row;
          }
        },
      };
    },
  };
}

async function parquetFiles(): Promise<readonly Uint8Array[]> {
  const folder = path.join(process.env['FUZZ_ROOT']!, 'test/faults/fuzz/fixtures');
  const names = (await readdir(folder)).filter((name) => name.endsWith('.parquet'));
  return Promise.all(names.toSorted().map((name) => readFile(path.join(folder, name))));
}

/** Files that Python's libraries wrote: see test/reference/make_data_golden.py. */
async function goldenFiles(ending: string): Promise<readonly Uint8Array[]> {
  const folder = path.join(process.env['FUZZ_ROOT']!, 'test/reference/golden/data');
  const names = (await readdir(folder)).filter(
    (name) => name.endsWith(ending) && !name.startsWith('empty'),
  );
  return Promise.all(names.toSorted().map((name) => readFile(path.join(folder, name))));
}

/** Training data in every format. */
export const dataReaders: readonly FuzzedReader[] = [
  { ...dataReader('Arrow', '.arrow', 'bytes', () => goldenFiles('.arrow')), cpuSeconds: 10 },
  dataReader('CSV', '.csv', 'bytes', () =>
    [
      'prompt,completion\nwhat,that\n"a ""quoted"", one","two\r\nlines"\n',
      'text\r\none\r\n\r\ntwo\r\n',
    ].map((text) => Buffer.from(text)),
  ),
  dataReader('gzip', '.jsonl.gz', 'bytes', () => goldenFiles('.jsonl.gz')),
  dataReader('JSON', '.json', 'json', () => [
    jsonBytes([CHAT, CHAT]),
    jsonBytes([PAIR, ALPACA], 2),
    jsonBytes(TEXT),
  ]),
  dataReader('JSON Lines', '.jsonl', 'json-lines', () => [
    jsonLines(CHAT, CHAT, SHARE_GPT),
    jsonLines(CALLS, CHAT),
    jsonLines(SHARE_GPT),
    jsonLines(PAIR, PAIR, ALPACA),
    jsonLines(TEXT, TEXT),
  ]),
  dataReader('Parquet', '.parquet', 'bytes', parquetFiles),
  dataReader('text', '.txt', 'bytes', () => [Buffer.from('one\ntwo\r\n\nthree')]),
  {
    ...dataReader('Zstandard', '.jsonl.zst', 'bytes', () => goldenFiles('.jsonl.zst')),
    // Twice what `engine/data/compression.ts` allows.
    cpuSeconds: 6,
  },
];
