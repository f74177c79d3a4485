// `npm run gpu-check`: bundles the check and the program that measures, and runs it.
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';

/** Beside the packages: ONNX Runtime is found from there, git and the VSIX don't look there. */
const CACHE = path.resolve('node_modules', '.cache');

await mkdir(CACHE, { recursive: true });
const outdir = await mkdtemp(path.join(CACHE, 'lorafa-gpu-check-'));
try {
  await build({
    entryPoints: {
      main: 'test/gpu-check/main.ts',
      measure: 'test/gpu-check/measure-process.ts',
    },
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
