import { defineConfig } from 'vitest/config';

/** Tests in a real VS Code: minutes, not milliseconds, and one at a time. */
export default defineConfig({
  test: {
    include: ['test/e2e/**/*.test.ts'],
    globalSetup: 'test/e2e/setup/global-setup.ts',
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // What is polled comes when VS Code comes to it: the machine may be busy.
    expect: { poll: { timeout: 30_000 } },
  },
});
