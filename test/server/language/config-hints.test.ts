import { expect, test } from 'vitest';
import { parseConfig } from '../../../engine/config/parse.ts';
import { estimateRun } from '../../../engine/plan/estimate-run.ts';
import { configHints } from '../../../server/language/config-hints.ts';
import type { Inspection } from '../../../server/language/inspection/config-inspector.ts';
import { type Changes, ConfigWorkspace } from './config-workspace.ts';

/** Hints of a text, each behind what stands before it, without the comma. */
async function hints(changes: Changes): Promise<Readonly<Record<string, string>>> {
  const workspace = await ConfigWorkspace.create();
  const text = workspace.text(changes);
  return shown(workspace, text, await workspace.inspect(text));
}

function shown(
  workspace: ConfigWorkspace,
  text: string,
  inspection: Inspection,
): Readonly<Record<string, string>> {
  const document = workspace.document(text);
  const all = { start: document.positionAt(0), end: document.positionAt(text.length) };
  const labels = configHints(document, all, inspection).map(({ position, label }) => {
    const line = document.getText({ start: { ...position, character: 0 }, end: position });
    return [line.trim().replace(/,$/, ''), label as string] as const;
  });
  return Object.fromEntries(labels);
}

test('each hint stands behind the value that decides it', async () => {
  // 2 layers with 7 linear layers each; B is out × r.
  const widths = 32 + 16 + 16 + 32 + 64 + 64 + 32;
  expect(await hints({})).toEqual({
    '"r": 4': expect.stringContaining(`${(2 * 4 * widths).toLocaleString('en-US')} trainable (`),
    '"lora_alpha": 8': 'scales by 2',
    '"num_train_epochs": 2': '6 steps per epoch, 12 in all',
    '"per_device_train_batch_size": 2': expect.stringMatching(/^≈ \d+ MiB at peak$/),
  });
});

test('without these values they stand in the section', async () => {
  const found = await hints({
    lora: { r: undefined, lora_alpha: undefined },
    training: { num_train_epochs: undefined, per_device_train_batch_size: undefined },
  });
  expect(Object.keys(found)).toEqual(['"lora": {', '"training": {']);
});

test('scaling follows rsLoRA and the default rank', async () => {
  const stabilised = await hints({ lora: { r: 16, lora_alpha: 8, use_rslora: true } });
  expect(stabilised['"lora_alpha": 8']).toBe('scales by 2');
  const byDefault = await hints({ lora: { r: undefined, lora_alpha: 8 } });
  expect(byDefault['"lora_alpha": 8']).toBe('scales by 0.5');
});

test('a rank that cannot be has no hint', async () => {
  const found = Object.values(await hints({ lora: { r: 0 } })).join();
  expect(found).not.toContain('trainable');
  expect(found).not.toContain('scales by');
  expect(found).toContain('steps per epoch');
});

test('accumulation, held-out rows and a slice shorten an epoch; max_steps decides the whole', async () => {
  const found = await hints({
    data: { dataset_name_or_path: 'rows.jsonl[:10]', eval_split: 2 },
    training: { gradient_accumulation_steps: 2, max_steps: 1234 },
  });
  expect(found['"max_steps": 1234']).toBe('2 steps per epoch, 1,234 in all');
});

test('rows that were counted and not looked at are an estimate', async () => {
  const workspace = await ConfigWorkspace.create();
  const rows = Array.from({ length: 50 }, () => ({ question: 'Why?', answer: 'So.' }));
  await workspace.writeRows('rows.jsonl', rows);
  const text = workspace.text();
  const found = shown(workspace, text, await workspace.inspect(text));
  expect(found['"num_train_epochs": 2']).toBe('≈ 25 steps per epoch, 50 in all');
});

test('with packing a row of a batch holds several rows of the data', async () => {
  const workspace = await ConfigWorkspace.create();
  const rows = Array.from({ length: 50 }, () => ({ question: 'Why?', answer: 'So.' }));
  await workspace.writeRows('rows.jsonl', rows);
  const file = workspace.path('run.lorafa.json');
  const estimateOf = (text: string) => estimateRun(parseConfig(text, file));
  const { train } = await estimateOf(workspace.text());
  const sevenRows = (7 * train.tokens) / 50;
  const text = workspace.text({ data: { packing: true, max_length: sevenRows } });
  const inspection = await workspace.inspect(text);
  const { stepsPerEpoch, steps, largestBatch, memory } = await estimateOf(text);
  // 50 rows make 8 packed rows, of which two are a batch.
  expect(stepsPerEpoch).toBe(4);
  expect(largestBatch).toEqual({ rows: 2, length: sevenRows });
  expect(shown(workspace, text, inspection)['"num_train_epochs": 2']).toBe(
    `≈ ${stepsPerEpoch} steps per epoch, ${steps} in all`,
  );
  expect(inspection.memory?.estimate.activations).toBe(memory.activations);
});

test('the memory of evaluations and answers is that of the whole estimate', async () => {
  const workspace = await ConfigWorkspace.create();
  const rows = Array.from({ length: 16 }, () => ({ question: 'Why?', answer: 'So.' }));
  await workspace.writeRows('rows.jsonl', rows);
  const text = workspace.text({
    data: { eval_split: 8 },
    training: { per_device_eval_batch_size: 4, sample_prompts: ['Why not?'] },
  });
  const { memory } = await workspace.inspect(text);
  const whole = await estimateRun(parseConfig(text, workspace.path('run.lorafa.json')));
  const { activations, evaluation, answers } = whole.memory;
  expect(memory!.estimate).toMatchObject({ activations, evaluation, answers });
  const hint = configHints(
    workspace.document(text),
    { start: { line: 0, character: 0 }, end: { line: 1000, character: 0 } },
    await workspace.inspect(text),
  ).find(({ label }) => JSON.stringify(label).includes('at peak'));
  expect(JSON.stringify(hint!.tooltip)).toMatch(/; between the steps, evaluation .*, answers /);
});

test('what could not be found out has no hint', async () => {
  const found = await hints({ model: { base_model_name_or_path: './nowhere' } });
  expect(Object.keys(found)).toEqual(['"num_train_epochs": 2', '"lora_alpha": 8']);
});

test('only the hints of the asked range are given, and broken text has none', async () => {
  const workspace = await ConfigWorkspace.create();
  const document = workspace.document(workspace.text());
  const inspection = await workspace.inspect(document.getText());
  const start = { line: 0, character: 0 };
  expect(configHints(document, { start, end: start }, inspection)).toEqual([]);
  expect(shown(workspace, '', inspection)).toEqual({});
});
