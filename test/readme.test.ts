import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { FAMILIES } from '../engine/architectures/families.ts';

const readme = readFileSync(path.join(import.meta.dirname, '../README.md'), 'utf8');

test('the table of families is that of the declarations', () => {
  const rows = FAMILIES.map(
    ({ models, className, gguf }) =>
      `| ${models} | \`${className}\` | ${gguf === null ? '' : `\`${gguf.architecture}\``} |`,
  );
  expect(readme).toContain(rows.join('\n'));
});
