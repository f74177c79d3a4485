import { execFile } from 'node:child_process';
import type { Readable } from 'node:stream';
import type { CancellationToken } from 'vscode-jsonrpc';
import { type ErrorCode, LorafaError } from '../engine/errors.ts';
import { tokenToGive } from '../engine/hub/hub-token.ts';
import { environmentOfChild } from './end-with-parent.ts';

/** More than any answer: token by token, a thousand long rows. */
const MAX_OUTPUT_BYTES = 2 ** 28;

const CANCELLED = 'was cancelled';

/** How long a command that is cancelled may take to end by itself, unless more is given. */
const GRACE_MS = 1000;

/** How a command is run. */
export interface RunCliOptions {
  /** Called with each line that it prints before the last, as the JSON that it is. */
  readonly onLine?: (line: unknown) => void;
  /** Milliseconds that it may take to end when it is cancelled, as to remove what it has half written. */
  readonly graceMs?: number;
  /** Variables of its environment, beside those of this process. */
  readonly variables?: NodeJS.ProcessEnv;
  /** Whether it is answered with what the command itself says of its end when it is cancelled. */
  readonly isHeard?: boolean;
}

/**
 * Runs a command of the command line in a process of its own and returns the JSON that it prints.
 * So what takes long, may crash in native code or does not come to an end, does none of it to the
 * server. Cancelled, it answers at once unless the command is to be heard, and the process is gone soon after.
 *
 * @param script the built `cli/main.ts`
 * @param args without `--json`
 * @throws LorafaError that of the command; `internal.unexpected` when it prints no JSON
 */
export function runCli(
  script: string,
  args: readonly string[],
  token: CancellationToken,
  { onLine, graceMs = GRACE_MS, isHeard = false, variables }: RunCliOptions = {},
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const fail = (how: string): void =>
      reject(new LorafaError('internal.unexpected', `lorafa ${args[0]} ${how}`));
    const child = execFile(
      process.execPath,
      [script, ...args, '--json'],
      {
        maxBuffer: MAX_OUTPUT_BYTES,
        windowsHide: true,
        env: { ...environmentOfChild(), ...variables },
      },
      (error, stdout, stderr) => {
        cancellation.dispose();
        clearTimeout(grace);
        const answer = parseLastLine(stdout);
        // What one that was ended has printed last is how far it was.
        const isEnded = token.isCancellationRequested && error !== null && !isFailure(answer);
        if (isEnded) fail(CANCELLED);
        else if (answer === undefined) fail(stderr || (error?.message ?? 'is silent'));
        else if (isFailure(answer)) reject(new LorafaError(answer.code, answer.message));
        else resolve(answer);
      },
    );
    if (onLine !== undefined) tellLines(child.stdout!, onLine);
    // A command that ended at once reads nothing.
    child.stdin?.on('error', () => undefined).end(tokenToGive() ?? '');
    let grace: NodeJS.Timeout | undefined;
    const cancellation = token.onCancellationRequested(() => {
      child.kill();
      // A command that catches the signal, and is too busy to do so.
      grace = setTimeout(() => child.kill('SIGKILL'), graceMs);
      if (!isHeard) fail(CANCELLED);
    });
  });
}

function parseLastLine(stdout: string): unknown {
  return parsed(stdout.trim().split('\n').at(-1) ?? '');
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/** Tells of lines as they come, whole ones alone. */
function tellLines(stdout: Readable, onLine: (line: unknown) => void): void {
  let rest = '';
  stdout.on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop()!;
    for (const line of lines) onLine(parsed(line));
  });
}

/** The `failed` event of the command line. */
function isFailure(answer: unknown): answer is { code: ErrorCode; message: string } {
  return (
    typeof answer === 'object' && answer !== null && 'type' in answer && answer.type === 'failed'
  );
}
