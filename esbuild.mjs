import { rm } from 'node:fs/promises';
import { build } from 'esbuild';

/** Bundles every program of the project into `out` (or into the folder given as an argument). */
const outdir = process.argv[2] ?? 'out';

/** What all bundles share. */
const common = {
  outdir,
  bundle: true,
  platform: 'node',
  target: 'node20',
  // The UMD build that jsonc-parser names as its `main` hides its own files from bundlers.
  mainFields: ['module', 'main'],
  sourcemap: true,
  // The ES module edition of a package where it has one: UMD hides its imports from the bundler.
  mainFields: ['module', 'main'],
  logLevel: 'warning',
};

await rm(outdir, { recursive: true, force: true });
await Promise.all([
  // The programs outside VS Code, with chunks beside them: what a command does not need, such as
  // ONNX Runtime's native library, is not loaded.
  build({
    ...common,
    entryPoints: {
      cli: 'server/cli/main.ts',
      'language-server': 'server/language-server.ts',
      'probe-device': 'engine/runtime/probe-device.ts',
    },
    // Beside the entry points: modules find the programs that they start relative to themselves.
    chunkNames: 'chunk-[hash]',
    splitting: true,
    format: 'esm',
    // Its native libraries lie beside its own files.
    external: ['onnxruntime-node'],
    // CommonJS dependencies call `require`, which ES modules do not have.
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    },
  }),
  // The extension itself, inside VS Code's extension host.
  build({
    ...common,
    entryPoints: { extension: 'extension/extension.ts' },
    outExtension: { '.js': '.cjs' },
    format: 'cjs',
    minify: true,
    external: ['vscode'],
  }),
]);
