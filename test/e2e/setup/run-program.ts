import { execFile } from 'node:child_process';
import { appendFile } from 'node:fs/promises';
import { promisify } from 'node:util';

/** How {@link runProgram} runs. */
export interface ProgramOptions {
  readonly cwd?: string;
  /** Variables that are added to this process's own. */
  readonly env?: Readonly<Record<string, string>>;
  /** File that gets everything the program prints. */
  readonly log?: string;
}

/**
 * Runs a program to its end and returns what it printed.
 *
 * @throws Error with the command and its last lines when it fails
 */
export async function runProgram(
  file: string,
  args: readonly string[],
  { cwd, env, log }: ProgramOptions = {},
): Promise<string> {
  try {
    const { stdout, stderr } = await promisify(execFile)(file, args, {
      ...(cwd !== undefined && { cwd }),
      env: { ...process.env, ...env },
      maxBuffer: 64 * 2 ** 20,
    });
    if (log !== undefined) await appendFile(log, stdout + stderr);
    return stdout;
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    if (log !== undefined) await appendFile(log, stdout + stderr);
    const lastLines = `${stdout}\n${stderr}`.trim().split('\n').slice(-15).join('\n');
    throw new Error(`${[file, ...args].join(' ')} failed:\n${lastLines}`, { cause: error });
  }
}
