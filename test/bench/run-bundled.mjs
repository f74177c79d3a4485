import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';

/** Beside the packages: ONNX Runtime is found from there, git and the VSIX don't look there. */
const CACHE = path.resolve('node_modules', '.cache');

/**
 * Bundles a program and those that measure for it, and runs it.
 *
 * @param {Record<string, string>} entryPoints source files by the names that the programs have; `main` is the first
 */
export async function runBundled(entryPoints) {
  await mkdir(CACHE, { recursive: true });
  // A folder of its own: a benchmark that runs is not changed by one that starts.
  const outdir = await mkdtemp(path.join(CACHE, 'lorafa-bench-'));
  try {
    await build({
      entryPoints,
      outdir,
      outExtension: { '.js': '.mjs' },
      bundle: true,
      format: 'esm',
      platform: 'node',
      target: 'node20',
      mainFields: ['module', 'main'],
      external: ['koffi', 'onnxruntime-node'],
      banner: {
        js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
      },
      logLevel: 'warning',
    });
    const { main } = await import(pathToFileURL(path.join(outdir, 'main.mjs')).href);
    await main(process.argv, outdir);
  } finally {
    await rm(outdir, { recursive: true, force: true });
  }
}
