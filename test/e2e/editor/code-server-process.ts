import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { markedEnvironment } from '../../support/marked-processes.ts';
import type { CodeServer } from '../setup/code-server.ts';

/** A code-server that listens. */
export interface CodeServerProcess {
  /** E.g. `http://127.0.0.1:41234/`. */
  readonly url: string;
  /** Ends it and all that it started, except what detached itself. */
  stop(): Promise<void>;
}

/** What one code-server is for. */
export interface CodeServerOptions {
  /** The folder that it opens, if any. */
  readonly folder?: string;
  /** A folder for its settings, logs and state. */
  readonly userDataDir: string;
  /** What is installed. */
  readonly extensionsDir: string;
  /** Whether it asks before it trusts the folder. */
  readonly asksForTrust: boolean;
}

/**
 * Starts a code-server on a free port of this machine alone.
 *
 * @throws Error with what it printed when it ends before it listens
 */
export async function startCodeServer(
  codeServer: CodeServer,
  { folder, userDataDir, extensionsDir, asksForTrust }: CodeServerOptions,
): Promise<CodeServerProcess> {
  const args = [
    ...['--auth', 'none', '--bind-addr', '127.0.0.1:0'],
    ...['--config', path.join(userDataDir, 'config.yaml'), '--user-data-dir', userDataDir],
    ...['--extensions-dir', extensionsDir, '--disable-telemetry', '--disable-update-check'],
    ...(asksForTrust ? [] : ['--disable-workspace-trust']),
    ...(folder === undefined ? [] : [folder]),
  ];
  // A process group of its own: one signal then reaches the extension hosts too.
  const child = spawn(codeServer.node, [codeServer.entry, ...args], {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...markedEnvironment(userDataDir) },
  });
  return { url: await listeningUrl(child), stop: () => endGroup(child) };
}

async function listeningUrl(child: ChildProcess): Promise<string> {
  const output: string[] = [];
  child.stderr?.on('data', (chunk: Buffer) => output.push(chunk.toString()));
  for await (const line of createInterface({ input: child.stdout! })) {
    output.push(line);
    const url = /HTTP server listening on (http:\S+)/.exec(line)?.[1];
    if (url === undefined) continue;
    // What it prints from here on is not read, but must not fill the pipe and block it either.
    child.stdout?.resume();
    return url;
  }
  throw new Error(`code-server ended before it listened:\n${output.join('\n')}`);
}

async function endGroup(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const ended = once(child, 'exit');
  process.kill(-child.pid, 'SIGTERM');
  const patience = setTimeout(() => process.kill(-child.pid!, 'SIGKILL'), 5000);
  await ended;
  clearTimeout(patience);
}
