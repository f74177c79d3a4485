import { cp, rm } from 'node:fs/promises';
import { build } from 'esbuild';

/**
 * Bundles every program of the project into `out` (or into the folder given as an argument), with
 * chunks beside them: what a command does not need, such as ONNX Runtime's native library, is not
 * loaded, and the extension loads its language client no sooner than it is needed.
 */
const outdir = process.argv[2] ?? 'out';

await rm(outdir, { recursive: true, force: true });
await build({
  entryPoints: {
    'attention-thread': 'engine/runtime/attention-thread.ts',
    cli: 'server/cli/main.ts',
    demo: 'server/demo/main.ts',
    extension: 'extension/extension.ts',
    inspector: 'server/language/inspection/inspector-process.ts',
    'language-server': 'server/language-server.ts',
    'make-base': 'media/demo/make-base/main.ts',
    'probe-device': 'engine/runtime/probe-device.ts',
    trainer: 'server/trainer/main.ts',
    'trainer-compute': 'server/trainer/compute.ts',
    generator: 'server/generator/main.ts',
  },
  outdir,
  // Beside the entry points: modules find the programs that they start relative to themselves.
  chunkNames: 'chunk-[hash]',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  // The ES module edition of a package where it has one: UMD hides its imports from the bundler.
  mainFields: ['module', 'main'],
  // The native libraries of the one lie beside its own files; the other is inside VS Code.
  external: ['koffi', 'onnxruntime-node', 'vscode'],
  sourcemap: true,
  // CommonJS dependencies call `require`, which ES modules do not have.
  banner: {
    js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
  },
  logLevel: 'warning',
});

/** The Python program is run as it is. */
const program = 'accelerate-program';
await cp(`engine/accelerate/${program}`, `${outdir}/${program}`, {
  recursive: true,
  filter: (name) => !name.endsWith('__pycache__'),
});

/** The pages of webviews, in `media` below: a script and a style sheet each. */
await build({
  entryPoints: [
    'comparison-panel',
    'config-editor',
    'data-preview',
    'playground',
    'run-panel',
  ].flatMap((page) => [
    { in: `media/${page}/main.ts`, out: page },
    { in: `media/${page}/style.css`, out: page },
  ]),
  outdir: `${outdir}/media`,
  // The form of the config editor comes from the schema, so that the page needs no engine.
  define: { CONFIG_FORM: JSON.stringify(await configForm()) },
  bundle: true,
  format: 'esm',
  platform: 'browser',
  // The browser inside the oldest VS Code that the manifest allows.
  target: 'chrome138',
  minify: true,
  sourcemap: true,
  logLevel: 'warning',
});

async function configForm() {
  const { outputFiles } = await build({
    entryPoints: ['server/language/config-form.ts'],
    bundle: true,
    format: 'esm',
    platform: 'node',
    write: false,
  });
  const { contents } = outputFiles[0];
  const url = `data:text/javascript;base64,${Buffer.from(contents).toString('base64')}`;
  return (await import(url)).configForm();
}
