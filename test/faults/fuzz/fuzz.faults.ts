import { afterAll, beforeAll, expect, test } from 'vitest';
import { bundleFuzzProgram } from './bundle-program.ts';
import { type FuzzResult, fuzzReader } from './fuzz-reader.ts';
import { failureText, fuzzTable } from './fuzz-report.ts';
import { fuzzSettings } from './fuzz-settings.ts';

/** The long version: see {@link fuzzSettings} for what can be chosen. */
const { seed, from, to, readers, keep } = fuzzSettings(100_000);

let built: Awaited<ReturnType<typeof bundleFuzzProgram>>;
const results = new Map<string, FuzzResult>();

beforeAll(async () => {
  built = await bundleFuzzProgram();
});

afterAll(async () => {
  await built.remove();
  console.log(`seed ${seed}\n${fuzzTable(results)}`);
  if (keep !== undefined) console.log(`the input: ${keep}`);
});

test.each(readers)('%s', async (reader) => {
  const result = await fuzzReader(built.program, { reader, seed, from, to, keep });
  results.set(reader, result);
  // They take minutes each.
  console.log(fuzzTable(new Map([[reader, result]])));
  expect(failureText(reader, seed, result)).toBe('');
  expect(result.inputs).toBe(to - from);
});
