import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import { build } from 'esbuild';

/** Beside the packages, where the native library is found. */
const CACHE = path.resolve('node_modules', '.cache');

/** Bundles the fuzzing program for processes of its own. @returns the file, and what removes it */
export async function bundleFuzzProgram(): Promise<{
  readonly program: string;
  readonly remove: () => Promise<void>;
}> {
  await mkdir(CACHE, { recursive: true });
  const folder = await mkdtemp(path.join(CACHE, 'lorafa-fuzz-'));
  const program = path.join(folder, 'program.mjs');
  await build({
    entryPoints: ['test/faults/fuzz/fuzz-program.ts'],
    outfile: program,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    mainFields: ['module', 'main'],
    external: ['koffi', 'onnxruntime-node'],
    sourcemap: 'inline',
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    },
    logLevel: 'warning',
  });
  return { program, remove: () => rm(folder, { recursive: true, force: true }) };
}
