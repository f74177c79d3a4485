import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { loadDataset } from '../../../engine/data/dataset.ts';
import { previewExample } from '../../../engine/data/preview.ts';
import { TimeLimitError } from '../../../engine/time-limit.ts';
import { loadTokenizer, type Tokenizer } from '../../../engine/tokenizer/tokenizer.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { byteLevelFiles, CHATML, NO_IDS } from '../tokenizer/tiny-tokenizer.ts';
import { dataOptions } from './data-options.ts';

const QUICK = { question: 'Why?', answer: 'So.' };

async function rowsFile(rows: readonly object[]): Promise<string> {
  const file = path.join(await tempFolder(), 'rows.jsonl');
  await writeFile(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  return file;
}

function tokenizerOf(chatTemplate: string, seconds: number): Tokenizer {
  return loadTokenizer({ ...byteLevelFiles(), chatTemplate }, NO_IDS, { seconds });
}

/** Loops as often as a user's turn says. */
const LOOPING = `{% for m in messages %}{% for i in range(m.content | int) %}{% endfor %}{% endfor %}${CHATML}`;

test('the row at which a template does not come to an end is named, whatever is allowed', async () => {
  const endless = `{% for m in messages %}{% if m.content == 'loop' %}{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}{% endif %}{% endfor %}${CHATML}`;
  const rows = Array.from({ length: 40 }, (_, index) => ({
    ...QUICK,
    question: index === 30 ? 'loop' : 'Why?',
  }));
  const file = await rowsFile(rows);
  const loading = loadDataset([file], tokenizerOf(endless, 0.5), dataOptions({ max_bad_rows: 40 }));
  await expect(loading).rejects.toBeInstanceOf(TimeLimitError);
  await expect(loading).rejects.toMatchObject({
    code: 'data.chat_template',
    message: expect.stringMatching(
      /^The chat template of tiny-model took more than 1 seconds for .*rows\.jsonl:31 and was ended/,
    ),
  });
});

test('a template that makes too much is told once, whatever is allowed', async () => {
  const file = await rowsFile([QUICK, QUICK, QUICK]);
  const tokenizer = tokenizerOf(`{{ range(2000000000) }}${CHATML}`, 5);
  await expect(loadDataset([file], tokenizer, dataOptions({ max_bad_rows: 3 }))).rejects.toThrow(
    /^The chat template of tiny-model makes more than any conversation needs \([^)]*\); correct it or take the model's original files\.$/,
  );
});

test('the row at which an expression backtracks is named', async () => {
  const split = {
    type: 'Split',
    pattern: { Regex: '(a+)+$' },
    behavior: 'Isolated',
    invert: false,
  };
  const files = byteLevelFiles();
  const pretokenizers = [split, files.tokenizerJson['pre_tokenizer']];
  const tokenizerJson = {
    ...files.tokenizerJson,
    pre_tokenizer: { type: 'Sequence', pretokenizers },
  };
  const tokenizer = loadTokenizer({ ...files, tokenizerJson }, NO_IDS, { seconds: 0.5 });
  const file = await rowsFile([QUICK, { ...QUICK, answer: `${'a'.repeat(60)}b` }]);
  await expect(loadDataset([file], tokenizer, dataOptions())).rejects.toMatchObject({
    code: 'model.tokenizer',
    message: expect.stringMatching(/^The tokenizer of tiny-model .* for .*rows\.jsonl:2 /),
  });
});

test('rows that are slow only together are all learned, once and in their order', async () => {
  // Each takes some 50 ms, and 25 of them more than the second that a row may take.
  const rows = Array.from({ length: 30 }, (_, index) => ({
    question: '8000',
    answer: `Answer ${index}.`,
  }));
  const file = await rowsFile(rows);
  const slow = tokenizerOf(LOOPING, 1);
  const quick = tokenizerOf(CHATML, 1);
  const { examples, report } = await loadDataset([file], slow, dataOptions());
  const expected = await loadDataset([file], quick, dataOptions());
  expect(examples).toEqual(expected.examples);
  expect(report).toEqual(expected.report);
});

test('a preview is bounded too', async () => {
  const files = byteLevelFiles();
  const replace = { type: 'Replace', pattern: { Regex: '(a+)+$' }, content: 'b' };
  const decoders = [files.tokenizerJson['decoder'], { type: 'Fuse' }, replace];
  const tokenizerJson = {
    ...files.tokenizerJson,
    decoder: { type: 'Sequence', decoders },
    model: {
      ...(files.tokenizerJson['model'] as object),
      vocab: {
        ...(files.tokenizerJson['model'] as { vocab: object }).vocab,
        [`${'a'.repeat(60)}b`]: 300,
      },
    },
  };
  const tokenizer = loadTokenizer({ ...files, tokenizerJson }, NO_IDS, { seconds: 0.3 });
  const example = {
    inputIds: Int32Array.from([300]),
    supervised: Uint8Array.from([1]),
    truncated: false,
    file: 'rows.jsonl',
    line: 1,
  };
  expect(() => previewExample(example, tokenizer)).toThrow(TimeLimitError);
});
