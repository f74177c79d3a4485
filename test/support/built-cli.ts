import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

const repository = path.resolve(import.meta.dirname, '../..');

/** How a run of the command line ended. */
export interface Outcome {
  /** null when a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The command line as users run it: bundled, each run in a process of its own. */
export class BuiltCli {
  /** A temporary folder; runs start in it. */
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** Bundles the sources into a new temporary folder. */
  static async build(): Promise<BuiltCli> {
    const folder = await mkdtemp(path.join(tmpdir(), 'lorafa-cli-'));
    const script = path.join(repository, 'esbuild.mjs');
    await promisify(execFile)(process.execPath, [script, path.join(folder, 'out')], {
      cwd: repository,
    });
    await writeFile(path.join(folder, 'package.json'), '{"type":"module"}');
    // The bundle finds onnxruntime-node as it would in an installed package.
    const modules = path.join(repository, 'node_modules');
    await symlink(modules, path.join(folder, 'node_modules'), 'junction');
    return new BuiltCli(folder);
  }

  /** Starts a run; `onOutput` sees stdout so far and the process whenever more of it comes. */
  run(
    args: readonly string[],
    {
      input = '',
      env = {},
      cwd = this.folder,
      timeoutMs,
      onStart,
      onOutput,
    }: {
      input?: string;
      /** The folder that it starts in. */
      cwd?: string;
      /** Variables beside those of this process. */
      env?: Readonly<Record<string, string>>;
      /** After so long the process is killed. */
      timeoutMs?: number;
      onStart?: (run: ChildProcess) => void;
      onOutput?: (text: string, run: ChildProcess) => void;
    } = {},
  ): Promise<Outcome> {
    const script = path.join(this.folder, 'out/cli.js');
    const run = spawn(process.execPath, [script, ...args], {
      cwd,
      env: { ...process.env, ...env },
      ...(timeoutMs !== undefined && { timeout: timeoutMs, killSignal: 'SIGKILL' }),
    });
    onStart?.(run);
    let [stdout, stderr] = ['', ''];
    run.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      onOutput?.(stdout, run);
    });
    run.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    // A run that does not read its input may end before it is written.
    run.stdin.on('error', () => {});
    run.stdin.end(input);
    return new Promise((resolve, reject) => {
      run.on('error', reject);
      run.on('close', (code) => resolve({ code, stdout, stderr }));
    });
  }

  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true });
  }
}
