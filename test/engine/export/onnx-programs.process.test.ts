import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { exportResult } from '../../../engine/export/export.ts';
import { goldenPath } from '../../support/golden.ts';
import { goldenModelFolder } from '../../support/golden-model-folder.ts';
import { compare, type ProgramCase, taskOf } from './program-cases.ts';

/*
 * The programs that the format `onnx` is for, on a model of every family: they have to go on with the tokens that
 * transformers goes on with in Python, as this engine's own generation does (`logits.test.ts`).
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

const TIMEOUT = 300_000;
const [noGenai, noTransformersJs] = [lacksGenai(), modules === undefined];
const cases: Case[] = [];
let top: string;

beforeAll(async () => {
  top = await mkdtemp(path.join(tmpdir(), 'lorafa-test-'));
  if (noGenai && noTransformersJs) return;
  for (const name of readdirSync(goldenPath('models'))) {
    const base = path.join(top, name);
    await goldenModelFolder(name, base);
    for (const dtype of IN_FLOAT16.has(name) ? (['f32', 'f16'] as const) : (['f32'] as const)) {
      const folder = `${base}-${dtype}`;
      const { notes } = await exportResult({ folder: base, format: 'onnx', output: folder, dtype });
      cases.push({
        name: `${name} in ${dtype}`,
        ...(await taskOf(name, folder)),
        isUnknown: notes.some((note) => note.startsWith('transformers.js has no class')),
      });
    }
  }
}, TIMEOUT);

afterAll(() => rm(top, { recursive: true, force: true }));

describe('the tokens of transformers', () => {
  test.skipIf(noGenai)(
    'by ONNX Runtime GenAI (needs a Python with onnx and onnxruntime_genai: LORAFA_REFERENCE_PYTHON)',
    { timeout: TIMEOUT },
    () => {
      expect(cases.length).toBeGreaterThan(30);
      compare(python, [path.join(reference, 'check_onnx_genai.py')], cases);
    },
  );

  test.skipIf(noTransformersJs)(
    'by transformers.js (needs a folder where it is installed: LORAFA_TRANSFORMERS_JS)',
    { timeout: TIMEOUT },
    () => {
      const known = cases.filter(({ isUnknown }) => !isUnknown);
      expect(known.length).toBeGreaterThan(30);
      const script = path.join(reference, 'check_onnx_transformers.mjs');
      compare(process.execPath, [script, modules!], known);
    },
  );
});
