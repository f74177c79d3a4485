import { readFile } from 'node:fs/promises';
import { beforeEach, expect, test } from 'vitest';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { parseConfig } from '../../../engine/config/parse.ts';
import { writeRunRecord } from '../../../engine/train/run-record.ts';
import { checkOf } from '../../../server/check-requests.ts';
import { configActions } from '../../../server/language/config-actions.ts';
import { ConfigWorkspace } from './config-workspace.ts';

let workspace: ConfigWorkspace;

beforeEach(async () => {
  workspace = await ConfigWorkspace.create();
});

/** A run in the output folder, of the configuration with changes; finished if it has an adapter. */
async function leaveRun(text: string, isFinished: boolean): Promise<void> {
  await workspace.write('out/checkpoint-3/adapter_config.json', '{}');
  if (isFinished) await workspace.write('out/adapter_config.json', '{}');
  const config = parseConfig(text, workspace.path('run.lorafa.json'));
  await writeRunRecord(workspace.path('out'), { config, lineage: [{ session: 'a', from: 0 }] });
}

async function outputProblem(text: string) {
  const diagnostics = await workspace.diagnostics(text);
  return diagnostics.find(({ code }) => String(code).startsWith('output.'));
}

test('a free folder is nothing to speak of', async () => {
  expect(await outputProblem(workspace.text())).toBeUndefined();
});

test('a finished run is told, with the ways to go on', async () => {
  const text = workspace.text();
  await leaveRun(text, true);
  const problem = await outputProblem(text);
  expect(problem).toMatchObject({
    code: 'output.occupied',
    severity: 3,
    message: '`out` holds a finished run; Start Run asks what becomes of it',
  });
  const actions = configActions(workspace.document(text), [problem!]);
  expect(actions.map(({ title, command }) => [title, command?.command])).toEqual([
    ['Start as `out-2`', 'lorafa.startRun'],
    ['Train further as `out-2`', 'lorafa.startRun'],
    ['Replace it…', 'lorafa.replaceRun'],
  ]);
  const [anew, further] = actions.map(({ edit }) =>
    TextDocument.applyEdits(
      workspace.document(text),
      edit?.changes?.[workspace.document(text).uri] ?? [],
    ),
  );
  expect(anew).toBe(text.replace('"out"', '"out-2"'));
  expect(further).toContain('"init_adapter": "out"');
  expect(further).not.toMatch(/"r"|"lora_alpha"/);
  // Comments stay.
  expect(further).toContain('// r');
});

test('a run that ended early is resumed only by its own settings', async () => {
  const text = workspace.text();
  await leaveRun(text, false);
  const titles = async (changed: string): Promise<readonly string[]> => {
    const problem = await outputProblem(changed);
    return configActions(workspace.document(changed), [problem!]).map(({ title }) => title);
  };
  // Its only checkpoint is none that can be read, so that there is nothing to train further.
  expect(await titles(text)).toEqual(['Resume it…', 'Start as `out-2`', 'Replace it…']);
  const changed = workspace.text({ training: { num_train_epochs: 5 } });
  expect(await titles(changed)).toEqual(['Start as `out-2`', 'Replace it…']);
});

test('other files are an error, with a folder that is free', async () => {
  await workspace.write('out/thesis.tex', 'precious');
  const problem = await outputProblem(workspace.text());
  expect(problem).toMatchObject({ code: 'output.not_writable', severity: 1 });
  const [fixed] = Object.values(workspace.fixes(workspace.text(), problem!));
  expect(fixed).toContain('"output_dir": "out-2"');
  expect(await readFile(workspace.path('out/thesis.tex'), 'utf8')).toBe('precious');
});

test('a check says what keeps a run from starting, and what can be done about a run in the way', async () => {
  const text = workspace.text();
  expect(checkOf(workspace.document(text), await workspace.inspect(text))).toEqual({
    problems: [],
    occupied: null,
  });
  await leaveRun(text, true);
  const check = checkOf(workspace.document(text), await workspace.inspect(text));
  expect(check.problems).toEqual([]);
  expect(check.occupied?.ways.map(({ title, step }) => [title, step])).toEqual([
    ['Start as `out-2`', 'start'],
    ['Train further as `out-2`', 'start'],
    ['Replace it…', 'replace'],
  ]);
  const broken = text.replace('"r": 4', '"r": ');
  const refused = checkOf(workspace.document(broken), await workspace.inspect(broken));
  expect(refused.problems[0]).toMatchObject({ message: expect.stringContaining('not valid JSON') });
  const wrong = workspace.text({ lora: { r: 0 }, data: { dataset_name_or_path: 'no.jsonl' } });
  const { problems } = checkOf(workspace.document(wrong), await workspace.inspect(wrong));
  expect(problems.map(({ path }) => path.join('.')).toSorted()).toEqual([
    'data.dataset_name_or_path',
    'lora.r',
  ]);
});

test('reports in the way of a checkpoint are told where they are named', async () => {
  const text = workspace.text({
    training: { report_to: ['tensorboard'], logging_dir: 'out/checkpoint-2' },
  });
  const diagnostics = await workspace.diagnostics(text);
  const problem = diagnostics.find(({ code }) => code === 'config.contradiction');
  expect(problem).toMatchObject({
    severity: 1,
    message: expect.stringContaining('choose another training.logging_dir'),
  });
  expect(workspace.document(text).getText(problem!.range)).toContain('checkpoint-2');
});
