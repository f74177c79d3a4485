import { readFile, statfs } from 'node:fs/promises';
import os from 'node:os';

/** What of a machine matters for training on it. */
export interface SystemReport {
  readonly node: string;
  /** E.g. "Linux 6.8.0 x64". */
  readonly os: string;
  readonly cpu: {
    readonly model: string;
    readonly logicalCores: number;
    /** Instruction sets that make matrix products fast; null where the system does not tell. */
    readonly features: readonly string[] | null;
  };
  readonly memory: { readonly totalBytes: number; readonly freeBytes: number };
  readonly disk: { readonly folder: string; readonly freeBytes: number };
}

/** Looks at this machine; `folder` is where the disk's free space is asked for. */
export async function inspectSystem(folder: string): Promise<SystemReport> {
  const { bavail, bsize } = await statfs(folder);
  return {
    node: process.versions.node,
    os: `${os.type()} ${os.release()} ${os.arch()}`,
    cpu: {
      model: os.cpus()[0]?.model.trim() ?? 'unknown',
      logicalCores: os.availableParallelism(),
      features: await cpuFeatures(),
    },
    memory: { totalBytes: os.totalmem(), freeBytes: await availableMemory() },
    disk: { folder, freeBytes: bavail * bsize },
  };
}

/** Instruction sets that ONNX Runtime's kernels look for, by their names in /proc/cpuinfo. */
const CPU_FEATURES = [
  'avx2',
  'fma',
  'avx512f',
  'avx512_vnni',
  'avx512_bf16',
  'amx_int8',
  'amx_bf16',
  'asimddp',
  'i8mm',
  'sve',
];

/** Picks the instruction sets that matter out of the text of Linux's /proc/cpuinfo. */
export function parseCpuFeatures(cpuinfo: string): readonly string[] {
  const line = /^(?:flags|Features)\s*:(.*)$/m.exec(cpuinfo)?.[1] ?? '';
  const flags = new Set(line.trim().split(/\s+/));
  return CPU_FEATURES.filter((feature) => flags.has(feature));
}

/** Bytes that Linux could give to a program (MemAvailable in /proc/meminfo), page cache included. */
export function parseAvailableMemory(meminfo: string): number | undefined {
  const kibibytes = /^MemAvailable:\s+(\d+) kB$/m.exec(meminfo)?.[1];
  return kibibytes === undefined ? undefined : Number(kibibytes) * 1024;
}

async function cpuFeatures(): Promise<readonly string[] | null> {
  const cpuinfo = await readSystemFile('/proc/cpuinfo');
  return cpuinfo === undefined ? null : parseCpuFeatures(cpuinfo);
}

async function availableMemory(): Promise<number> {
  const meminfo = await readSystemFile('/proc/meminfo');
  return parseAvailableMemory(meminfo ?? '') ?? os.freemem();
}

/** A file that only Linux has. */
function readSystemFile(file: string): Promise<string | undefined> {
  return readFile(file, 'utf8').catch(() => undefined);
}
