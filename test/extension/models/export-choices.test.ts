import { beforeEach, expect, test, vi } from 'vitest';
import type { ExportSize } from '../../../engine/export/export-sizes.ts';
import { chooseExport } from '../../../extension/models/export-choices.ts';
import { type Input, shown } from '../../support/vscode-window.ts';

vi.mock('vscode', () => import('../../support/vscode-window.ts'));

beforeEach(() => {
  shown.length = 0;
});

const REASON = `${'/a/long/path'.repeat(20)}/tokenizer.json cannot be written into a GGUF file: so it is.`;

const SIZES: readonly ExportSize[] = [
  {
    format: 'gguf',
    dtype: null,
    baseDtype: null,
    bytes: {},
    problem: REASON,
    needsDownload: false,
  },
  {
    format: 'ollama',
    dtype: null,
    baseDtype: null,
    bytes: {},
    problem: 'Is downloaded first.',
    needsDownload: true,
  },
  {
    format: 'onnx',
    dtype: 'f32',
    baseDtype: null,
    bytes: { f32: 2e9, f16: 1e9 },
    problem: null,
    needsDownload: false,
  },
];

interface Drawn {
  readonly label: string;
  readonly description: string;
  readonly detail: string;
}

const inputs = (): Input[] =>
  shown.filter(({ to }) => to !== 'warning').map(({ args }) => args[0] as Input);

/** The row of the list that is shown last. */
async function row(label: string, isReady: (drawn: Drawn) => boolean): Promise<Drawn> {
  const find = () => (inputs().at(-1)!.items as Drawn[]).find((each) => each.label.endsWith(label));
  return vi.waitUntil(() => {
    const drawn = find();
    return drawn && isReady(drawn) && drawn;
  });
}

function choose(drawn: Drawn): void {
  inputs().at(-1)!.selectedItems = [drawn];
  inputs().at(-1)!.accept();
}

test('a format that cannot be had says the whole reason when it is chosen, and others are offered again', async () => {
  const choice = chooseExport('Export x in which format?', Promise.resolve(SIZES));
  choose(await row('GGUF', ({ detail }) => detail.startsWith('Not possible')));
  await vi.waitUntil(() => inputs().length === 2);
  expect(shown.find(({ to }) => to === 'warning')?.args).toEqual([REASON]);
  choose(await row('ONNX', ({ description }) => description.includes('·')));
  choose(await row('16 bits', () => inputs().length === 3));
  expect(await choice).toMatchObject({ format: 'onnx' });
});

test('one whose base is downloaded first can be chosen', async () => {
  const choice = chooseExport('Export x in which format?', Promise.resolve(SIZES));
  choose(await row('Ollama', ({ detail }) => detail === 'Is downloaded first.'));
  choose(await row('Q8_0', () => inputs().length === 2));
  expect(await choice).toMatchObject({ format: 'ollama', dtype: 'q8_0' });
});

test('each question has a title of its own', async () => {
  const choice = chooseExport('Export x in which format?', Promise.resolve(SIZES));
  choose(await row('ONNX', ({ description }) => description.includes('·')));
  choose(await row('16 bits', () => inputs().length === 2));
  expect(await choice).toMatchObject({ format: 'onnx', dtype: 'f16' });
  expect(inputs().map(({ title }) => title)).toEqual([
    'Export x in which format?',
    'In which precision?',
  ]);
});

test.each([
  ['bf16', 'bf16', 'As the base model is stored, or unpacked where it is quantized.'],
  ['f32', 'f16', 'Half of what the base model takes, whose 32 bits are rounded.'],
] as const)('of a base in %s it is said what %s is', async (baseDtype, dtype, says) => {
  const bytes = { [dtype]: 1e9, f32: 2e9 };
  const size = { format: 'gguf', dtype, baseDtype, bytes, problem: null, needsDownload: false };
  const choice = chooseExport('Export x in which format?', Promise.resolve([size as ExportSize]));
  choose(await row('GGUF', ({ description }) => description.includes('·')));
  const own = await row(`16 bits (${dtype.toUpperCase()})`, () => inputs().length === 2);
  expect(own.detail).toBe(says);
  choose(own);
  expect(await choice).toMatchObject({ format: 'gguf', dtype: null });
});
