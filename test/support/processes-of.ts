import { readdir, readFile } from 'node:fs/promises';

/** Linux: the processes whose command line has a text in it, those that are gone left out. */
export async function processesOf(text: string): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const matching = pids.map(async (pid) => {
    // Empty for one that has ended and waits for its parent to ask.
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    return command.includes(text) && pid !== process.pid ? [pid] : [];
  });
  return (await Promise.all(matching)).flat();
}
