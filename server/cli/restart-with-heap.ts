import { takeHeapEnvironment, withHeapEnvironment } from '../trainer/heap-environment.ts';

/** The commands that compute: the others would wait for a second start of Node in vain. */
const COMPUTING: readonly (string | undefined)[] = ['train', 'measure', 'evaluate', 'generate'];

/**
 * Starts a command that computes once more in this very process, with the environment in which trainers
 * compute: the C library reads it only at its start. To be called before anything else, so that nothing is
 * lost of what standard input has. Systems without glibc have nothing to gain.
 */
export async function restartWithHeap(): Promise<void> {
  const isDone = takeHeapEnvironment();
  if (isDone || process.platform !== 'linux' || !COMPUTING.includes(process.argv[2])) return;
  try {
    const { replaceProcess } = await import('../../engine/runtime/replace-process.ts');
    const args = [process.argv0, ...process.execArgv, ...process.argv.slice(1)];
    replaceProcess(process.execPath, args, withHeapEnvironment(process.env));
  } catch {
    // A native library that cannot be loaded: the command says so where it needs it, and computes as it is otherwise.
  }
}
