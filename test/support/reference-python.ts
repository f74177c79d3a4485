import { execFile, execFileSync } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';

/** A Python with `test/reference/requirements.txt`, as `LORAFA_REFERENCE_PYTHON` names it. */
export const REFERENCE_PYTHON = process.env['LORAFA_REFERENCE_PYTHON'] ?? 'python3';

/** Whether a package is not there. */
export function lacks(packageName: string): boolean {
  try {
    execFileSync(REFERENCE_PYTHON, ['-c', `import ${packageName}`], { stdio: 'ignore' });
    return false;
  } catch {
    return true;
  }
}

/** Runs a script of `test/reference/` and returns the JSON that it prints last. */
export async function askPython<T>(
  script: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<T> {
  const file = path.resolve(import.meta.dirname, '../reference', script);
  const { stdout } = await promisify(execFile)(REFERENCE_PYTHON, [file, ...args], {
    env: { ...process.env, ...env, HF_HUB_DISABLE_PROGRESS_BARS: '1' },
  });
  return JSON.parse(stdout.trim().split('\n').at(-1)!);
}
