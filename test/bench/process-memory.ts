import { readFileSync } from 'node:fs';

/** Memory of a process in bytes; what the system does not tell is undefined. */
export interface ProcessMemory {
  /** The most that was resident since the process started its program, mapped files included. */
  readonly peakRss?: number;
  /** Resident and its own: no files. */
  readonly anonymous?: number;
  /** Proportional set size: pages that are mapped more than once count once. */
  readonly pss?: number;
}

/** Reads a process's counters from Linux's `/proc`; elsewhere, and when it has ended, nothing. */
export function processMemory(pid: number | 'self'): ProcessMemory {
  return fields(`/proc/${pid}/status`, { peakRss: 'VmHWM', anonymous: 'RssAnon' });
}

/** The proportional set size of this process: the system walks all of its pages. */
export function ownPss(): number | undefined {
  return processPss('self');
}

/** The proportional set size of a process; undefined when it has ended. */
export function processPss(pid: number | 'self'): number | undefined {
  return fields(`/proc/${pid}/smaps_rollup`, { pss: 'Pss' }).pss;
}

/**
 * The most memory that was resident in this process. `getrusage` is no substitute on Linux: its
 * value outlives `exec` and so begins with what the parent had.
 */
export function ownPeakRss(): number {
  return processMemory('self').peakRss ?? process.resourceUsage().maxRSS * 1024;
}

function fields(file: string, names: Readonly<Record<string, string>>): ProcessMemory {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return {};
  }
  const found = Object.entries(names).flatMap(([key, name]) => {
    const kibibytes = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1];
    return kibibytes === undefined ? [] : [[key, Number(kibibytes) * 1024] as const];
  });
  return Object.fromEntries(found);
}
