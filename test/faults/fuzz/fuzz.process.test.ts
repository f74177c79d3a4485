import { expect, test } from 'vitest';
import { bundleFuzzProgram } from './bundle-program.ts';
import { fuzzReader } from './fuzz-reader.ts';
import { failureText } from './fuzz-report.ts';
import { fuzzSettings } from './fuzz-settings.ts';

/** The short version: whatever a file of others holds, it is read or refused, and the process stays. */
test('mutated files end in a value or an error with a code', { timeout: 120_000 }, async () => {
  const { seed, from, to, readers } = fuzzSettings(150);
  const built = await bundleFuzzProgram();
  const remaining = readers.values();
  const problems: string[] = [];
  const work = async (): Promise<void> => {
    for (const reader of remaining) {
      const result = await fuzzReader(built.program, { reader, seed, from, to });
      if (result.failures.length > 0) problems.push(failureText(reader, seed, result));
      if (result.inputs !== to - from) problems.push(`${reader}: ${result.inputs} inputs`);
    }
  };
  try {
    await Promise.all([work(), work()]);
  } finally {
    await built.remove();
  }
  expect(problems).toEqual([]);
});
