import { readFileSync } from 'node:fs';
import { readFile, readlink } from 'node:fs/promises';
import os from 'node:os';
import { z } from 'zod';
import { codeOf } from './bounded-file.ts';

/** Tells one process from every other, also those on other computers and after a restart. */
export const processMarkSchema = z.object({
  pid: z.int().positive(),
  /** Name of the computer (of a container: its own), for people and where there is no `boot`. */
  host: z.string(),
  /** Linux: clock ticks between the start of the system and that of the process. Elsewhere null. */
  started: z.nullable(z.string()),
  /**
   * Linux: names this start of this computer's kernel, whatever its host name is now. Elsewhere
   * null; absent in marks of version 0.1.
   */
  boot: z.nullable(z.string()).exactOptional(),
  /** Linux: the processes among which `pid` counts, which a container has its own of. */
  namespace: z.nullable(z.string()).exactOptional(),
});

/** See {@link processMarkSchema}. */
export type ProcessMark = Readonly<z.infer<typeof processMarkSchema>>;

/** The mark of this process. */
export async function ownMark(): Promise<ProcessMark> {
  const self = await statFields('self');
  // A /proc that belongs to other processes (one that a container was given) tells nothing of this.
  const isOurs = self?.pid === process.pid;
  return {
    pid: process.pid,
    host: os.hostname(),
    started: isOurs ? self.started : null,
    boot: isOurs ? await textOf(readFile('/proc/sys/kernel/random/boot_id', 'utf8')) : null,
    namespace: isOurs ? await textOf(readlink('/proc/self/ns/pid')) : null,
  };
}

/**
 * Whether the process of a mark lives. `unknown` where this process cannot tell: it belongs to
 * another computer or container, or its id is in use and the system does not say since when.
 */
export async function lifeOf(mark: ProcessMark): Promise<'alive' | 'gone' | 'unknown'> {
  if (!isAmongUs(mark, await ownMark())) return 'unknown';
  if (!(await isRunning(mark.pid))) return 'gone';
  const found = await statFields(String(mark.pid));
  if (mark.started === null || found === undefined) return 'unknown';
  return found.started === mark.started ? 'alive' : 'gone';
}

/** How {@link ownTag} looks, as the source of a regular expression. */
export const TAG_PATTERN = '[1-9][0-9]{0,9}(?:_[0-9]+)?';

let tag: string | undefined;

/**
 * This process, for the names of files that it owns: its id and, on Linux, when it started, since
 * ids are used again.
 */
export function ownTag(): string {
  tag ??= process.platform === 'linux' ? `${process.pid}${ownStart()}` : String(process.pid);
  return tag;
}

function ownStart(): string {
  try {
    const self = fieldsOf(readFileSync('/proc/self/stat', 'utf8'));
    return self.pid === process.pid && self.started !== null ? `_${self.started}` : '';
  } catch {
    return '';
  }
}

/** The id in a tag. */
export function processOf(tag: string): number {
  return Number.parseInt(tag, 10);
}

/** Whether the process of a tag runs, as far as this process can see it. */
export async function isOwnerRunning(tag: string): Promise<boolean> {
  const [pid, started] = tag.split('_');
  if (!(await isRunning(Number(pid)))) return false;
  const found = await statFields(pid!);
  return started === undefined || found === undefined || found.started === started;
}

/** Whether this process can see that of a mark. */
function isAmongUs(mark: ProcessMark, self: ProcessMark): boolean {
  const hasHostOnly = mark.boot === undefined || (mark.boot === null && self.boot === null);
  if (hasHostOnly) return mark.host === self.host;
  return mark.boot === self.boot && mark.namespace != null && mark.namespace === self.namespace;
}

/** Whether a process of this id runs, of whatever user. */
export async function isRunning(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it is there, but belongs to someone else.
    if (codeOf(error) !== 'EPERM') return false;
  }
  // Nobody has asked yet how it ended (in many a container nobody ever does), but it did.
  const state = (await statFields(String(pid)))?.state;
  return state !== 'Z' && state !== 'X';
}

interface ProcessStat {
  readonly pid: number;
  readonly state: string | undefined;
  readonly started: string | null;
}

/** Linux: what /proc says of a process; see proc_pid_stat(5). */
async function statFields(process: string): Promise<ProcessStat | undefined> {
  const text = await textOf(readFile(`/proc/${process}/stat`, 'utf8'));
  return text === null ? undefined : fieldsOf(text);
}

function fieldsOf(text: string): ProcessStat {
  // The second field, the program's name in parentheses, may itself hold spaces and parentheses.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return { pid: Number.parseInt(text, 10), state: fields[0], started: fields[19] ?? null };
}

async function textOf(text: Promise<string>): Promise<string | null> {
  return text.then(
    (found) => found.trim(),
    () => null,
  );
}
