import { rm } from 'node:fs/promises';
import { build } from 'esbuild';

/**
 * Bundles the command line into `out/cli.js` (or into the folder given as an argument), with chunks
 * beside it: what a command does not need, such as ONNX Runtime's native library, is not loaded.
 */
const outdir = process.argv[2] ?? 'out';

await rm(outdir, { recursive: true, force: true });
await build({
  entryPoints: {
    cli: 'server/cli/main.ts',
    'probe-device': 'engine/runtime/probe-device.ts',
  },
  outdir,
  // Beside the entry points: modules find the programs that they start relative to themselves.
  chunkNames: 'chunk-[hash]',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  // Its native libraries lie beside its own files.
  external: ['onnxruntime-node'],
  sourcemap: true,
  // CommonJS dependencies call `require`, which ES modules do not have.
  banner: {
    js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
  },
  logLevel: 'warning',
});
