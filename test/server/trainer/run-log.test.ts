import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { parseLogLine, RunLog } from '../../../server/trainer/run-log.ts';
import { ALL_HOSTILE, hidesSomething } from '../../support/hostile-texts.ts';
import { tempFolder } from '../../support/temp-folder.ts';

test('an entry is one bounded line, whatever was printed', async () => {
  const file = path.join(await tempFolder(), 'run.log');
  const log = await RunLog.open(file);
  await log.add('output', `${ALL_HOSTILE}\n2026-01-01T00:00:00Z error forged`);
  await log.add('warning', 'x'.repeat(1e6));
  await log.close();
  const lines = (await readFile(file, 'utf8')).trimEnd().split('\n');
  expect(lines).toHaveLength(2);
  for (const line of lines) {
    expect(hidesSomething(line)).toBe(false);
    expect(line.length).toBeLessThan(70_000);
  }
  const entry = parseLogLine({ number: 1, text: lines[0] });
  expect(entry).toMatchObject({ level: 'output' });
  expect(entry.text).toContain('⏎ 2026-01-01T00:00:00Z error forged');
});
