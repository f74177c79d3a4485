import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { tempFolder } from '../support/temp-folder.ts';
import { isRowResult, type ResultLine } from './row-result.ts';

/** Runs the benchmark as `npm run bench -- …` does. */
async function bench(...args: readonly string[]) {
  const env = { ...process.env, LORAFA_CACHE_DIR: await tempFolder() };
  return promisify(execFile)(process.execPath, ['test/bench/bench.mjs', ...args], { env });
}

test('--json prints the peak of sgemm and a row, measured in processes of their own', async () => {
  const { stdout, stderr } = await bench('--json', '--only', 'tiny-none', '--samples', '1');
  const lines = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as ResultLine);
  expect(lines.map(({ name }) => name)).toEqual(['sgemm', 'tiny-none']);
  expect(lines[0]).toMatchObject({ group: 'tiny', gflops: expect.any(Number) });
  const row = lines.find(isRowResult)!;
  expect(row).toMatchObject({ group: 'tiny', samples: 1, steps: 2 });
  expect(row.step_ms).toBeGreaterThan(0);
  expect(row.step_ms_min).toBeLessThanOrEqual(row.step_ms);
  expect(row.step_ms_max).toBeGreaterThanOrEqual(row.step_ms);
  expect(row.tokens_per_second).toBeCloseTo((1000 * 2 * 32) / row.step_ms, 6);
  expect(row.sgemm_fraction).toBeGreaterThan(0);
  expect(row.sgemm_fraction).toBeLessThan(1);
  // Node and ONNX Runtime alone take this much; the model is tiny.
  expect(row.peak_rss_bytes).toBeGreaterThan(50e6);
  expect(row.peak_rss_bytes).toBeLessThan(500e6);
  expect(row.activation_bytes).toBeGreaterThan(0);
  expect(row.activation_bytes).toBeLessThan(5e6);
  // A model that knows nothing gives each of its 512 tokens the same probability.
  expect(row.first_loss).toBeCloseTo(Math.log(512), 0);
  expect(row.last_loss).toBeLessThan(row.first_loss);
  expect(stderr).toContain('2/2');
  expect(stderr).toContain('tiny-none, sample 1 of 1');
}, 120_000);

test('a name that no row has is refused', async () => {
  await expect(bench('--only', 'nonsense')).rejects.toMatchObject({
    code: 2,
    stderr: 'No row is called nonsense; see --list.\n',
  });
});
