// `npm run bench`: bundles the benchmark and the programs that measure, and runs it.
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';

/** Beside the packages, where ONNX Runtime is found and git and the VSIX look away. */
const outdir = path.resolve('node_modules', '.cache', 'lorafa-bench');

await build({
  entryPoints: {
    main: 'test/bench/main.ts',
    'measure-run': 'test/bench/measure-run-process.ts',
    'measure-sgemm': 'test/bench/measure-sgemm-process.ts',
  },
  outdir,
  outExtension: { '.js': '.mjs' },
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  mainFields: ['module', 'main'],
  external: ['onnxruntime-node'],
  banner: {
    js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
  },
  logLevel: 'warning',
});
const { main } = await import(pathToFileURL(path.join(outdir, 'main.mjs')).href);
await main(process.argv, outdir);
