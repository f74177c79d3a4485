import { readdirSync, readFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const LINUX_CPUS = '/sys/devices/system/cpu';

/**
 * Cores that this process may compute on: two hyper-threads share the units that multiply matrices.
 * Where the system does not tell which do, all that it calls processors.
 *
 * @param folder where Linux tells; another one only in tests
 */
export function physicalCores(folder = LINUX_CPUS): number {
  const available = os.availableParallelism();
  try {
    const cpus = readdirSync(folder).filter((name) => /^cpu\d+$/.test(name));
    const siblings = cpus.map((cpu) =>
      readFileSync(path.join(folder, cpu, 'topology', 'thread_siblings_list'), 'utf8').trim(),
    );
    // What the process was given may be less than the machine has.
    return Math.min(new Set(siblings).size || available, available);
  } catch {
    return available;
  }
}
