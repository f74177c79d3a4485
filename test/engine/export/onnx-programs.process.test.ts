import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ExportRequest, exportResult } from '../../../engine/export/export.ts';
import { openBaseModel } from '../../../engine/models/base-model.ts';
import { goldenPath } from '../../support/golden.ts';
import { goldenModelFolder } from '../../support/golden-model-folder.ts';
import { compare, continuation, goldenCase, type ProgramCase } from './program-cases.ts';
import { trainedModels } from './trained-models.ts';

/*
 * The programs that the format `onnx` is for, on a model of every family: they have to go on with the tokens that
 * transformers goes on with in Python, as this engine's own generation does (`logits.test.ts`), and with an adapter
 * with those of this engine.
 * LORAFA_REFERENCE_PYTHON names a Python with test/reference/requirements-onnx.txt, LORAFA_TRANSFORMERS_JS a folder
 * with @huggingface/transformers in its node_modules.
 */

const python = process.env['LORAFA_REFERENCE_PYTHON'] ?? 'python3';
const modules = process.env['LORAFA_TRANSFORMERS_JS'];
const reference = path.resolve(import.meta.dirname, '../../reference');

function lacksGenai(): boolean {
  return (
    spawnSync(python, ['-c', 'import onnx, onnxruntime_genai'], { stdio: 'ignore' }).status !== 0
  );
}

interface Case extends ProgramCase {
  /** Whether transformers.js has no class for it. */
  readonly isUnknown: boolean;
}

/** Of others a token may be another where two are nearly as likely. */
const IN_FLOAT16: ReadonlySet<string> = new Set(['gemma3', 'gpt-neox', 'llama-tied', 'qwen3']);

const TIMEOUT = 900_000;
const [noGenai, noTransformersJs] = [lacksGenai(), modules === undefined];
const PROGRAMS = {
  genai:
    'by ONNX Runtime GenAI (needs a Python with onnx and onnxruntime_genai: LORAFA_REFERENCE_PYTHON)',
  transformersJs:
    'by transformers.js (needs a folder where it is installed: LORAFA_TRANSFORMERS_JS)',
};
let top: string;

beforeAll(async () => {
  top = await mkdtemp(path.join(tmpdir(), 'lorafa-test-'));
});

afterAll(() => rm(top, { recursive: true, force: true }));

describe.each([
  ['the tokens of transformers', goldenCases],
  ['the tokens of this engine, with an adapter', adapterCases],
])('%s', (_, make) => {
  let cases: readonly Case[];

  beforeAll(async () => {
    if (!noGenai || !noTransformersJs) cases = await make();
  }, TIMEOUT);

  test.skipIf(noGenai)(PROGRAMS.genai, { timeout: TIMEOUT }, () => {
    expect(cases.length).toBeGreaterThan(30);
    compare(python, [path.join(reference, 'check_onnx_genai.py')], cases);
  });

  test.skipIf(noTransformersJs)(PROGRAMS.transformersJs, { timeout: TIMEOUT }, () => {
    const known = cases.filter(({ isUnknown }) => !isUnknown);
    expect(known.length).toBeGreaterThan(30);
    const script = path.join(reference, 'check_onnx_transformers.mjs');
    compare(process.execPath, [script, modules!], known);
  });
});

async function goldenCases(): Promise<readonly Case[]> {
  const cases: Case[] = [];
  for (const name of readdirSync(goldenPath('models'))) {
    const folder = path.join(top, name);
    await goldenModelFolder(name, folder);
    for (const dtype of IN_FLOAT16.has(name) ? (['f32', 'f16'] as const) : (['f32'] as const)) {
      const output = `${folder}-${dtype}`;
      const isUnknown = await exportOnnx({ folder, output, dtype });
      cases.push({
        ...(await goldenCase(name, output)),
        name: `${name} in ${dtype}`,
        isUnknown,
      });
    }
  }
  return cases;
}

async function adapterCases(): Promise<readonly Case[]> {
  const cases: Case[] = [];
  for (const { name, base, adapter, greedy } of await trainedModels(path.join(top, 'trained'))) {
    const { config } = await openBaseModel(base, { headersOnly: true });
    const output = `${adapter}-onnx`;
    const isUnknown = await exportOnnx({ folder: adapter, output, dtype: 'f32' });
    cases.push({ name, ...continuation(config, greedy, { folder: output }), isUnknown });
  }
  return cases;
}

/** @returns whether transformers.js has no class for it */
async function exportOnnx(request: Omit<ExportRequest, 'format'>): Promise<boolean> {
  const { notes } = await exportResult({ ...request, format: 'onnx' });
  return notes.some((note) => note.startsWith('transformers.js has no class'));
}
