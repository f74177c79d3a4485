import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';

/** A process that bears the mark of a test. */
export interface MarkedProcess {
  readonly pid: number;
  /** Id of the process that started it, or 1 when that has ended. */
  readonly parent: number;
  /** The words of its command line. */
  readonly command: readonly string[];
}

/**
 * The part of the environment that marks all processes that belong to a folder, those that detach
 * themselves among them. It names a folder for what runs share elsewhere: the runs of a test are
 * nobody else's, they wait for no others, and no others for them.
 */
export function markedEnvironment(folder: string): { readonly XDG_STATE_HOME: string } {
  return { XDG_STATE_HOME: path.join(folder, 'state') };
}

/**
 * The processes that bear the mark of a folder (Linux; elsewhere none).
 *
 * @param foreign ids of processes that do not, kept from call to call by one who looks often
 */
export async function markedProcesses(
  folder: string,
  foreign = new Set<number>(),
): Promise<readonly MarkedProcess[]> {
  const mark = `XDG_STATE_HOME=${markedEnvironment(folder).XDG_STATE_HOME}`;
  const names = await readdir('/proc').catch(() => []);
  const ids = names.map(Number).filter((id) => Number.isInteger(id) && !foreign.has(id));
  const found = await Promise.all(
    ids.map(async (pid) => {
      const environment = await strings(pid, 'environ');
      if (environment.includes(mark)) {
        return { pid, parent: await parentOf(pid), command: await strings(pid, 'cmdline') };
      }
      // A process that is just changing its program has none for a moment.
      if (environment.length > 1) foreign.add(pid);
      return undefined;
    }),
  );
  return found.filter((process) => process !== undefined);
}

/** Whether a process runs this program of ours, e.g. `trainer.js`. */
export function runsProgram({ command }: MarkedProcess, program: string): boolean {
  return command.some((word) => word.endsWith(`/${program}`));
}

/** Ends at once whatever is left of a folder, but for those of some ids. */
export async function endProcesses(folder: string, spared: readonly number[] = []): Promise<void> {
  for (const { pid } of await markedProcesses(folder)) {
    if (spared.includes(pid)) continue;
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It ended by itself meanwhile.
    }
  }
}

/** See proc_pid_stat(5); the program's name in parentheses may hold spaces itself. */
async function parentOf(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1] ?? 1);
}

/** Empty for a process that has ended meanwhile, or is another user's. */
async function strings(id: number, file: 'cmdline' | 'environ'): Promise<readonly string[]> {
  const text = await readFile(`/proc/${id}/${file}`, 'utf8').catch(() => '');
  return text.split('\0');
}
