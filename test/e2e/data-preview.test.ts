import { appendFile, cp, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Frame } from 'playwright-core';
import { expect, test } from 'vitest';
import { tempFolder } from '../support/temp-folder.ts';
import { accessibilityProblems } from './editor/accessibility.ts';
import { openEditor } from './editor/editor.ts';

const ROWS = 12;
const LONG = `${'Erwin lives in Oslo. '.repeat(12)}\nJSON: `;

/** A folder with the demo's base model and a few rows, a broken and a long one among them. */
async function folderWithData(): Promise<string> {
  const folder = await tempFolder();
  await cp('media/demo/base', path.join(folder, 'base'), { recursive: true });
  const rows = (await readFile('media/demo/data/train.jsonl', 'utf8')).split('\n').slice(0, ROWS);
  rows[1] = JSON.stringify({ prompt: 'A tab\there.\nJSON: ', completion: LONG });
  rows[2] = '{"prompt": "no end';
  await writeFile(path.join(folder, 'rows.jsonl'), `${rows.join('\n')}\n`);
  await writeConfig(folder, 96);
  return folder;
}

function writeConfig(folder: string, maxLength: number): Promise<void> {
  return writeFile(
    path.join(folder, 'first.lorafa.json'),
    `${JSON.stringify(
      {
        model: { base_model_name_or_path: 'base' },
        data: { dataset_name_or_path: 'rows.jsonl', max_length: maxLength, max_bad_rows: 1 },
        training: { output_dir: 'run' },
      },
      null,
      2,
    )}\n`,
  );
}

function articles(frame: Frame) {
  return frame.locator('article');
}

test('the preview shows what is learned, what is cut and what is dropped, page by page', async () => {
  const folder = await folderWithData();
  const editor = await openEditor({ folder });
  await editor.openFile('first.lorafa.json');
  await editor.runCommand('LoRA-FA: Preview Training Data');
  let frame = await editor.webviewFrame('Data: first.lorafa.json');
  await frame.getByText(`Rows 1 to 5 of ${ROWS - 1}`).waitFor();

  const first = articles(frame).first();
  expect(await first.locator('.supervised').textContent()).toContain('{"name":');
  expect(await first.locator('.segment:not(.supervised)').textContent()).toContain('JSON:');
  expect(await first.locator('.special').textContent()).toBe('<|endoftext|>');
  await articles(frame).nth(1).getByText('cut at max_length').waitFor();
  await frame.getByText('Rows dropped: 1').click();
  await frame.getByRole('button', { name: 'rows.jsonl:3', exact: true }).waitFor();
  await editor.examine('data-preview', frame);

  await frame.getByRole('button', { name: 'Next' }).click();
  await frame.getByText(`Rows 6 to 10 of ${ROWS - 1}`).waitFor();
  await frame.getByRole('button', { name: 'Random' }).click();
  await frame.getByText(/Rows (1|11) to/).waitFor();

  // Restored after a reload of the window, and read anew when the configuration is saved.
  await editor.reload();
  frame = await editor.webviewFrame('Data: first.lorafa.json');
  await frame.getByText(/Rows (1|11) to/).waitFor();
  await appendFile(path.join(folder, 'rows.jsonl'), '{"prompt": "New", "completion": "row"}\n');
  await writeConfig(folder, 16);
  // Of all rows, the new one among them, two have a completion within 16 tokens.
  await frame.getByText('Rows 1 to 2 of 2').waitFor();

  await articles(frame).first().getByRole('button').click();
  await editor.waitForStatusBar('Ln 2, Col 1');

  // What is refused is named as everywhere in VS Code.
  await appendFile(path.join(folder, 'rows.jsonl'), '{"prompt": "no end\n');
  await writeConfig(folder, 96);
  const refused = frame.getByText('cannot be used, and data.max_bad_rows allows 1');
  await expect.poll(() => refused.innerText()).toMatch(/^2 of \d+ rows in rows\.jsonl /);
});

const TOOLS = [
  {
    type: 'function',
    function: {
      name: 'weather',
      description: 'The weather of a city',
      parameters: { type: 'object', properties: { city: { type: 'string' } } },
    },
  },
];

/** A template that says itself what the model writes, and knows calls. */
const TEMPLATE = `{% if tools %}
Functions: {{ tools | tojson }}
{% endif %}
{% for m in messages %}
{{ m.role }}: {% if m.role == 'assistant' %}{% generation %}{{ m.content or '' }}{% for call in m.tool_calls or [] %}<call>{{ call.function | tojson }}</call>{% endfor %}{% if not m.prefix %}<|endoftext|>{% endif %}{% endgeneration %}{% else %}{{ m.content }}{% endif %}

{% endfor %}
`;

/** Conversations with a call, one of them twice and held out as well, and one with an answer of a token. */
async function folderWithConversations(): Promise<string> {
  const folder = await tempFolder();
  await cp('media/demo/base', path.join(folder, 'base'), { recursive: true });
  const weather = (city: string, degrees: number) => ({
    messages: [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: `How warm is it in ${city}?` },
      { role: 'assistant', tool_calls: [{ name: 'weather', arguments: { city } }] },
      { role: 'tool', content: `{"celsius": ${degrees}}` },
      { role: 'assistant', content: `${degrees} degrees.` },
    ],
    tools: TOOLS,
  });
  const short = {
    messages: [
      { role: 'user', content: 'Hi' },
      { role: 'assistant', content: 'a', prefix: true },
    ],
  };
  const write = (name: string, rows: readonly unknown[]): Promise<void> =>
    writeFile(path.join(folder, name), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  await write('chats.jsonl', [weather('Oslo', 5), weather('Rome', 21), short, weather('Oslo', 5)]);
  await write('held.jsonl', [weather('Bern', 9), weather('Rome', 21)]);
  await writeFile(path.join(folder, 'own.jinja'), TEMPLATE);
  const config = {
    model: { base_model_name_or_path: 'base' },
    data: {
      dataset_name_or_path: 'chats.jsonl',
      eval_dataset_name_or_path: 'held.jsonl',
      chat_template: 'own.jinja',
    },
    training: { output_dir: 'run' },
  };
  await writeFile(path.join(folder, 'first.lorafa.json'), `${JSON.stringify(config, null, 2)}\n`);
  return folder;
}

test('conversations with calls: what is learned, what is there twice, and what is held out too', async () => {
  const editor = await openEditor({ folder: await folderWithConversations() });
  await editor.openFile('first.lorafa.json');
  await editor.runCommand('LoRA-FA: Preview Training Data');
  const frame = await editor.webviewFrame('Data: first.lorafa.json');
  await frame.getByText('Rows 1 to 4 of 4').waitFor();
  const learned = articles(frame).first().locator('.supervised');
  await expect.poll(async () => (await learned.allTextContents()).join('')).toContain('<call>');
  const read = await articles(frame).first().locator('.segment:not(.supervised)').allTextContents();
  expect(read.join('')).toContain('celsius');
  expect(await frame.getByText('messages + tools').count()).toBe(1);
  await frame.getByText('Rows that were there before: 1').click();
  await frame.getByText('the row was there before in line 1').waitFor();
  await frame.getByText('Rows of which a single token is learned: 1').waitFor();
  await frame.getByText('Held-out rows that are learned too: 1').click();
  await frame.getByRole('button', { name: 'held.jsonl:2', exact: true }).waitFor();
  await editor.examine('data-preview-chats', frame);
});

/** So many rows of so many bytes that reading them takes far longer than what is done meanwhile. */
async function folderWithManyRows(): Promise<string> {
  const folder = await folderWithData();
  const row = (index: number): string =>
    JSON.stringify({
      prompt: `Number ${index}. ${'Erwin is 31 years old and lives in Oslo. '.repeat(13)}\nJSON: `,
      completion: '{"name": "Erwin", "age": 31, "city": "Oslo"}',
    });
  const rows = Array.from({ length: MANY_ROWS }, (_, index) => `${row(index)}\n`);
  await writeFile(path.join(folder, 'rows.jsonl'), rows.join(''));
  await writeConfig(folder, 1024);
  return folder;
}

const MANY_ROWS = 100_000;

test('of very many rows the first are shown at once, and reading them can be ended', async () => {
  const editor = await openEditor({ folder: await folderWithManyRows() });
  await editor.openFile('first.lorafa.json');
  await editor.runCommand('LoRA-FA: Preview Training Data');
  const frame = await editor.webviewFrame('Data: first.lorafa.json');
  await articles(frame).nth(4).waitFor();
  await frame.getByText(/Reading: [\d,]+ rows, \d+%/).waitFor();
  await frame.getByRole('button', { name: 'Next' }).click();
  await frame.getByText(/Rows 6 to 10 of/).waitFor();
  await editor.screenshot('data-preview-reading');
  expect(await accessibilityProblems(frame)).toEqual([]);

  const search = frame.getByRole('searchbox', { name: 'Search in rows' });
  await search.fill('number 33.');
  await frame.getByText(/Rows 1 to 1 of 1 with “number 33.”/).waitFor();
  await articles(frame).getByRole('button', { name: 'rows.jsonl:34', exact: true }).waitFor();

  await frame.getByRole('button', { name: 'Cancel' }).click();
  await frame.getByText(/Reading was cancelled after [\d,]+ rows/).waitFor();
  await search.fill('');
  await frame.getByText(/Rows 1 to 5 of/).waitFor();
  await frame.getByRole('button', { name: 'Cancel' }).waitFor({ state: 'hidden' });

  // Its process, which holds the rows, goes with the panel; the one that looks at configurations stays.
  await editor.runCommand('View: Close Editor');
  await expect.poll(async () => (await editor.processesOf('inspector.js')).length).toBe(1);
});
