import { rm } from 'node:fs/promises';
import { build } from 'esbuild';

/**
 * Bundles the command line into `out/cli.js` with chunks beside it: what a command does not need,
 * such as ONNX Runtime's native library, is not loaded.
 */
export async function buildCli(outdir) {
  await rm(outdir, { recursive: true, force: true });
  await build({
    entryPoints: { cli: 'server/cli/main.ts' },
    outdir,
    chunkNames: 'chunks/[name]-[hash]',
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
}

if (process.argv[1] === import.meta.filename) await buildCli('out');
