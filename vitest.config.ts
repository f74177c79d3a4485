import { defineConfig } from 'vitest/config';

/** Tests that start processes of the product (command line, servers, trainers, demo) or wait for limits of time. */
const PROCESS_TESTS = 'test/**/*.process.test.ts';

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
          exclude: ['test/e2e/**', PROCESS_TESTS],
          // They leave nothing behind, and a process for each file would cost more than the tests.
          isolate: false,
        },
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
