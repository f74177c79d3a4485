import { defineConfig } from 'vitest/config';

/** Tests that start processes of the product (command line, servers, trainers, demo) or wait for limits of time. */
const PROCESS_TESTS = 'test/**/*.process.test.ts';

/** Tests that train, most of them many times, each a whole run of a tiny model. */
const RUN_TESTS = [
  'test/engine/train/**/*.test.ts',
  'test/engine/report/**/*.test.ts',
  'test/**/*.run.test.ts',
];

/** They leave nothing behind, and a process for each file would cost more than the tests. */
const TOGETHER = { isolate: false };

/** Vitest leaves one core unused unless told, which is half of two; projects that differ in that cannot run side by side. */
const ON_ALL_CORES = { maxWorkers: '100%', sequence: { groupOrder: 1 } };

export default defineConfig({
  test: {
    pool: 'forks',
    testTimeout: 30_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/e2e/**', PROCESS_TESTS, ...RUN_TESTS],
          ...TOGETHER,
          ...ON_ALL_CORES,
        },
      },
      {
        extends: true,
        test: { name: 'runs', include: RUN_TESTS, exclude: [PROCESS_TESTS], ...TOGETHER },
      },
      { extends: true, test: { name: 'processes', include: [PROCESS_TESTS] } },
      {
        extends: true,
        test: {
          name: 'faults',
          include: ['test/faults/**/*.faults.ts'],
          fileParallelism: false,
          testTimeout: 3_600_000,
        },
      },
    ],
  },
});
