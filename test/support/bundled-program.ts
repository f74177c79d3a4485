import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { build } from 'esbuild';
import { onTestFinished } from 'vitest';

/**
 * Bundles a program for a process of its own, and returns the file.
 *
 * @param external packages that stay outside of it
 */
export async function bundledProgram(entry: string, external: string[] = []): Promise<string> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'lorafa-program-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const outfile = path.join(folder, 'program.mjs');
  await build({
    entryPoints: [entry],
    outfile,
    external,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    mainFields: ['module', 'main'],
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    },
    logLevel: 'warning',
  });
  return outfile;
}
