import { readdir, readFile } from 'node:fs/promises';
import { inject } from 'vitest';

/**
 * Ids of the processes that run a program of the installed extension, e.g. `language-server.js`,
 * detached ones among them. A test that makes detached processes ends them by these ids.
 */
export async function processesOf(program: string): Promise<readonly number[]> {
  const { extensionsDir } = inject('bench');
  const ids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const commands = await Promise.all(ids.map(commandLine));
  return ids.filter((_, index) =>
    commands[index]!.some((word) => word.startsWith(extensionsDir) && word.endsWith(`/${program}`)),
  );
}

/** Empty for a process that has ended meanwhile. */
async function commandLine(id: number): Promise<readonly string[]> {
  const words = await readFile(`/proc/${id}/cmdline`, 'utf8').catch(() => '');
  return words.split('\0');
}
