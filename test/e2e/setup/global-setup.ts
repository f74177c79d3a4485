import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { TestProject } from 'vitest/node';
import { type CodeServer, ensureCodeServer } from './code-server.ts';
import { runProgram } from './run-program.ts';

/** What every end-to-end test finds ready. */
export interface Bench {
  readonly codeServer: CodeServer;
  /** Extensions folder that holds this extension, installed from its VSIX. */
  readonly extensionsDir: string;
}

declare module 'vitest' {
  // Declaration merging is how Vitest types what a global setup hands to the tests.
  export interface ProvidedContext {
    bench: Bench;
  }
}

/** The package that `npm run package` makes. */
const VSIX = path.resolve('lorafa-linux-x64.vsix');

/** Installs the editor (the first time) and the extension (every time) before the first test. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  if (!existsSync(VSIX)) throw new Error(`${VSIX} is missing: run \`npm run package\` first.`);
  const codeServer = await ensureCodeServer();
  const folder = await mkdtemp(path.join(os.tmpdir(), 'lorafa-e2e-'));
  const extensionsDir = path.join(folder, 'extensions');
  await runProgram(codeServer.node, [
    codeServer.entry,
    ...['--install-extension', VSIX, '--extensions-dir', extensionsDir],
    ...['--user-data-dir', path.join(folder, 'user'), '--config', path.join(folder, 'config.yaml')],
  ]);
  project.provide('bench', { codeServer, extensionsDir });
  return () => rm(folder, { recursive: true, force: true });
}
