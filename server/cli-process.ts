import { execFile } from 'node:child_process';
import type { CancellationToken } from 'vscode-jsonrpc';
import { type ErrorCode, LorafaError } from '../engine/errors.ts';

/** More than any answer: token by token, a thousand long rows. */
const MAX_OUTPUT_BYTES = 2 ** 28;

/**
 * Runs a command of the command line in a process of its own and returns the JSON that it prints.
 * So what takes long, or may crash in native code, does neither to the server.
 *
 * @param script the built `cli/main.ts`
 * @param args without `--json`
 * @throws LorafaError that of the command; `internal.unexpected` when it prints no JSON
 */
export function runCli(
  script: string,
  args: readonly string[],
  token: CancellationToken,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const child = execFile(
      process.execPath,
      [script, ...args, '--json'],
      {
        maxBuffer: MAX_OUTPUT_BYTES,
        windowsHide: true,
        env: { ...process.env, ELECTRON_RUN_AS_NODE: '1' },
      },
      (error, stdout, stderr) => {
        const answer = parseLastLine(stdout);
        if (answer === undefined) {
          const how = token.isCancellationRequested ? 'was cancelled' : stderr || error?.message;
          reject(new LorafaError('internal.unexpected', `lorafa ${args[0]} ${how ?? 'is silent'}`));
        } else if (isFailure(answer)) {
          reject(new LorafaError(answer.code, answer.message));
        } else {
          resolve(answer);
        }
      },
    );
    token.onCancellationRequested(() => child.kill());
  });
}

function parseLastLine(stdout: string): unknown {
  try {
    return JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
  } catch {
    return undefined;
  }
}

/** The `failed` event of the command line. */
function isFailure(answer: unknown): answer is { code: ErrorCode; message: string } {
  return (
    typeof answer === 'object' && answer !== null && 'type' in answer && answer.type === 'failed'
  );
}
