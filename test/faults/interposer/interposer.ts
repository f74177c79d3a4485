import { execFile, execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

/** Why processes cannot be interposed here; undefined where they can. */
export const NO_INTERPOSER: string | undefined = whyNot();

function whyNot(): string | undefined {
  if (process.platform !== 'linux') return 'LD_PRELOAD needs Linux';
  try {
    execFileSync('gcc', ['--version'], { stdio: 'ignore' });
    return undefined;
  } catch {
    return 'there is no gcc';
  }
}

/** What happens at an operation; see `interposer.c`. */
export type FaultKind = 'kill' | 'EIO' | 'ENOSPC' | 'EROFS' | 'short' | 'short-kill';

/** A fault at one of the operations on a folder's files, in each of the processes. */
export interface Fault {
  /** Real path of the folder. */
  readonly folder: string;
  /** Only in processes with this word in their command line; by default in all. */
  readonly program?: string;
  readonly kind: FaultKind;
  /** The operation, from 1; with 0 operations are counted and none fails. */
  readonly at: number;
  /** All later operations fail as well, as on a disk that is full. */
  readonly isLasting?: boolean;
}

/** An operation of a process that was interposed. */
export interface Operation {
  /** From 1 in each process for what a {@link Fault} counts; 0 for the others. */
  readonly number: number;
  readonly pid: number;
  /** `open` (for writing), `rename`, `connect`, …; all of them are listed in `interposer.c`. */
  readonly name: string;
  /** Real path of the file; of connections `unix:PATH`, `inet:ADDRESS` or the host's name. */
  readonly target: string;
}

/** The library of `interposer.c`, built for this machine. */
export class Interposer {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** Builds the library in a temporary folder. */
  static async build(): Promise<Interposer> {
    const interposer = new Interposer(await mkdtemp(path.join(tmpdir(), 'lorafa-interposer-')));
    const source = path.join(import.meta.dirname, 'interposer.c');
    const options = ['-shared', '-fPIC', '-O1', '-Wall', '-o', interposer.#library, source, '-ldl'];
    await promisify(execFile)('gcc', options);
    return interposer;
  }

  get #library(): string {
    return path.join(this.#folder, 'interposer.so');
  }

  /**
   * Environment variables for a process, and all that it starts.
   *
   * @param trace file to write operations to, for {@link readOperations}
   */
  environment(
    trace: string,
    { fault, reads = false }: { fault?: Fault; reads?: boolean } = {},
  ): Record<string, string> {
    return {
      LD_PRELOAD: this.#library,
      INTERPOSER_TRACE: trace,
      ...(reads && { INTERPOSER_READS: '1' }),
      ...(fault !== undefined && {
        INTERPOSER_FOLDER: fault.folder,
        INTERPOSER_FAULT: fault.kind,
        INTERPOSER_AT: String(fault.at),
        ...(fault.program !== undefined && { INTERPOSER_PROGRAM: fault.program }),
        ...(fault.isLasting === true && { INTERPOSER_LASTING: '1' }),
      }),
    };
  }

  async remove(): Promise<void> {
    await rm(this.#folder, { recursive: true });
  }
}

/** What interposed processes did, in its order. */
export async function readOperations(trace: string): Promise<Operation[]> {
  const text = await readFile(trace, 'utf8');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [number, pid, name, target] = line.split('\t') as [string, string, string, string];
      return { number: Number(number), pid: Number(pid), name, target };
    });
}
