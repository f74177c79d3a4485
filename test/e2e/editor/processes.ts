import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';

/**
 * The part of the environment that marks all processes of one window, those that detach themselves
 * among them. It names a folder for what the runs of all windows share elsewhere: the runs of a test
 * are nobody else's, they wait for no others, and no others for them.
 */
export function windowEnvironment(userDataDir: string): { readonly XDG_STATE_HOME: string } {
  return { XDG_STATE_HOME: path.join(userDataDir, 'state') };
}

/** Ids of the processes of a window that run this program of an extension, e.g. `trainer.js`. */
export async function processesOf(
  userDataDir: string,
  program: string,
): Promise<readonly number[]> {
  const ids = await processesOfWindow(userDataDir);
  const commands = await Promise.all(ids.map((id) => strings(id, 'cmdline')));
  return ids.filter((_, index) => commands[index]!.some((word) => word.endsWith(`/${program}`)));
}

/** Ends at once whatever is left of a window. */
export async function endProcesses(userDataDir: string): Promise<void> {
  for (const id of await processesOfWindow(userDataDir)) {
    try {
      process.kill(id, 'SIGKILL');
    } catch {
      // It ended by itself meanwhile.
    }
  }
}

async function processesOfWindow(userDataDir: string): Promise<readonly number[]> {
  const mark = `XDG_STATE_HOME=${windowEnvironment(userDataDir).XDG_STATE_HOME}`;
  const ids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const environments = await Promise.all(ids.map((id) => strings(id, 'environ')));
  return ids.filter((_, index) => environments[index]!.includes(mark));
}

/** Empty for a process that has ended meanwhile, or is another user's. */
async function strings(id: number, file: 'cmdline' | 'environ'): Promise<readonly string[]> {
  const text = await readFile(`/proc/${id}/${file}`, 'utf8').catch(() => '');
  return text.split('\0');
}
