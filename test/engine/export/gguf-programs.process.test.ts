import { readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { LorafaError } from '../../../engine/errors.ts';
import { exportResult } from '../../../engine/export/export.ts';
import { goldenPath } from '../../support/golden.ts';
import { goldenModelFolder } from '../../support/golden-model-folder.ts';
import { compare, type ProgramCase, taskOf } from './program-cases.ts';

/*
 * llama.cpp, which the format `gguf` is for, on a model of every family that it knows: it has to go on with the tokens
 * that transformers goes on with in Python. LORAFA_LLAMA names a folder with node-llama-cpp in its node_modules.
 */

const modules = process.env['LORAFA_LLAMA'];
const script = path.resolve(import.meta.dirname, '../../reference/check_gguf_llama.mjs');

/** The vocabularies of the first two have no bytes; of the third every fourth layer would have to see everything. */
const SPECIAL: ReadonlySet<string> = new Set(['phi3', 'phi3-long', 'olmo3']);

const TIMEOUT = 300_000;

test.skipIf(modules === undefined)(
  'llama.cpp goes on with the tokens of transformers (needs a folder with node-llama-cpp: LORAFA_LLAMA)',
  { timeout: TIMEOUT },
  async () => {
    const top = await mkdtemp(path.join(tmpdir(), 'lorafa-test-'));
    try {
      const cases: ProgramCase[] = [];
      for (const name of readdirSync(goldenPath('models'))) {
        const file = await exportedFile(name, top);
        if (file !== undefined) cases.push({ name, ...(await taskOf(name, file)) });
      }
      expect(cases.length).toBeGreaterThan(20);
      compare(process.execPath, [script, modules!], cases);
    } finally {
      await rm(top, { recursive: true, force: true });
    }
  },
);

/**
 * A golden model as a file; undefined where llama.cpp doesn't know it, or computes something otherwise, as the export says.
 */
async function exportedFile(name: string, top: string): Promise<string | undefined> {
  if (SPECIAL.has(name)) return undefined;
  const folder = path.join(top, name);
  await goldenModelFolder(name, folder);
  const output = `${folder}.gguf`;
  try {
    const { notes } = await exportResult({ folder, format: 'gguf', output, dtype: 'f32' });
    return notes.length === 0 ? output : undefined;
  } catch (error) {
    if (error instanceof LorafaError && error.code === 'model.unsupported') return undefined;
    throw error;
  }
}
