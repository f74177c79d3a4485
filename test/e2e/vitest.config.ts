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
    // A busy machine makes VS Code lose a click or a focus now and then. Such a test may be tried
    // once more where nobody looks on, and is named at the end; at one's desk it fails.
    retry: process.env['CI'] === undefined ? 0 : 1,
  },
});
