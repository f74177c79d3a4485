import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { FAMILIES } from '../engine/architectures/families.ts';
import { goldenJson, goldenPath } from './support/golden.ts';

const readme = readFileSync(path.join(import.meta.dirname, '../README.md'), 'utf8');

/** What of a family is compared: how many tiny models, by the golden data that tests go through folder by folder. */
interface Proof {
  /** `logits.test.ts`: logits and greedy tokens of transformers. */
  readonly answers: number;
  /** `parity.test.ts`: twenty steps of transformers and PEFT. */
  readonly runs: number;
  /** `families.test.ts` reads files of llama.cpp's converter, and `export-gguf.test.ts` writes them. */
  readonly files: number;
}

const NAMES = ['models', 'training', 'gguf/families'].map((folder) =>
  readdirSync(goldenPath(folder)),
) as [string[], string[], string[]];

function proofOf(className: string): Proof {
  const isOfFamily = (model: string): boolean =>
    goldenJson<{ architectures: string[] }>('models', model, 'config.json').architectures.includes(
      className,
    );
  const [models, runs, files] = NAMES;
  const modelOf = (run: string): string =>
    goldenJson<{ model: string }>('training', run, 'case.json').model;
  return {
    answers: models.filter(isOfFamily).length,
    runs: runs.filter((run) => isOfFamily(modelOf(run))).length,
    files: files.filter((file) => isOfFamily(path.parse(file).name)).length,
  };
}

test('the table of families is that of the declarations and of what is compared', () => {
  const rows = FAMILIES.map(({ models, className, gguf }) => {
    const { answers, runs, files } = proofOf(className);
    const architecture = gguf === null ? '' : `\`${gguf.architecture}\``;
    return `| ${models} | \`${className}\` | ${architecture} | ${answers} | ${runs} | ${files || ''} |`;
  });
  expect(readme).toContain(rows.join('\n'));
});

test('answers and runs of each family are compared', () => {
  const lacking = FAMILIES.filter(({ className }) => {
    const { answers, runs } = proofOf(className);
    return answers === 0 || runs === 0;
  });
  expect(lacking.map(({ className }) => className)).toEqual([]);
});
