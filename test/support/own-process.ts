import { readFile } from 'node:fs/promises';
import { processesOf } from './processes-of.ts';

/** Linux: the process that this one started with a text in its command line. */
export async function ownProcess(text: string): Promise<number> {
  for (const pid of await processesOf(text)) {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    if (Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === process.pid) return pid;
  }
  throw new Error(`There is no process with ${text}.`);
}
