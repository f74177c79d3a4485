import { execFile } from 'node:child_process';

/** An NVIDIA GPU and what it is doing, as its driver tells. */
export interface NvidiaGpu {
  /** As in `cuda:N`. */
  readonly index: number;
  /** E.g. `NVIDIA GeForce RTX 4090`. */
  readonly name: string;
  /** E.g. `580.65.06`. */
  readonly driver: string;
  /** Bytes of its memory, and of these in use by all programs; null where the driver does not tell, as below. */
  readonly memoryBytes: number | null;
  readonly usedBytes: number | null;
  /** Bytes that a program can have now. */
  readonly freeBytes: number | null;
  /** Share of the last moment in which it computed, 0 to 1. */
  readonly utilization: number | null;
  /** Degrees Celsius. */
  readonly temperature: number | null;
  /** Watts. */
  readonly power: number | null;
}

/** Columns of `nvidia-smi --query-gpu`, in the order in which they are read. */
const COLUMNS = [
  'index',
  'name',
  'driver_version',
  'memory.total',
  'memory.used',
  'memory.free',
  'utilization.gpu',
  'temperature.gpu',
  'power.draw',
] as const;

/** How long it is waited for an answer. */
const ANSWER_MS = 10_000;

const MEBIBYTE = 2 ** 20;

/**
 * The NVIDIA GPUs of this machine by `nvidia-smi`, the program that comes with their driver.
 *
 * @param answerMs how long it is waited for, in milliseconds; another time only in tests
 * @returns undefined where there is no such program, it fails (its words are then about the driver) or says nothing
 */
export function nvidiaGpus(answerMs = ANSWER_MS): Promise<readonly NvidiaGpu[] | undefined> {
  const query = [`--query-gpu=${COLUMNS.join(',')}`, '--format=csv,noheader,nounits'];
  return new Promise((resolve) => {
    const program = execFile('nvidia-smi', query, { windowsHide: true }, (error, stdout) => {
      clearTimeout(timer);
      resolve(error === null ? visibleGpus(parseGpus(stdout)) : undefined);
    });
    // Who waits for a driver that hangs cannot be ended, so that nobody waits for its end either.
    const timer = setTimeout(() => {
      program.kill('SIGKILL');
      for (const end of [program.stdout, program.stderr]) end?.destroy();
      program.unref();
      resolve(undefined);
    }, answerMs);
  });
}

/** Reads what `nvidia-smi` prints: a line for each GPU. Lines that are none are left out. */
export function parseGpus(text: string): readonly NvidiaGpu[] {
  return text
    .split('\n')
    .map((line) => line.split(',').map((cell) => cell.trim()))
    .filter((cells) => cells.length === COLUMNS.length && /^\d+$/.test(cells[0]!))
    .map(([index, name, driver, total, used, free, utilization, temperature, power]) => ({
      index: Number(index),
      name: name!,
      driver: driver!,
      memoryBytes: bytesOf(total),
      usedBytes: bytesOf(used),
      freeBytes: bytesOf(free),
      utilization: percentOf(utilization),
      temperature: numberOf(temperature),
      power: numberOf(power),
    }));
}

/**
 * Those of them that CUDA sees, with the numbers that it gives them: CUDA_VISIBLE_DEVICES lists numbers, up to the
 * first one that is none. What it names in other ways is not known here.
 */
export function visibleGpus(
  gpus: readonly NvidiaGpu[],
  variable = process.env['CUDA_VISIBLE_DEVICES'],
): readonly NvidiaGpu[] {
  if (variable === undefined) return gpus;
  const visible: NvidiaGpu[] = [];
  for (const entry of variable.split(',')) {
    const gpu = gpus.find(({ index }) => String(index) === entry.trim());
    if (gpu === undefined) break;
    visible.push({ ...gpu, index: visible.length });
  }
  return visible;
}

/** What a driver does not know is `[N/A]` or `[Not Supported]`. */
function numberOf(cell: string | undefined): number | null {
  const number = Number.parseFloat(cell ?? '');
  return Number.isFinite(number) ? number : null;
}

function bytesOf(mebibytes: string | undefined): number | null {
  const number = numberOf(mebibytes);
  return number === null ? null : number * MEBIBYTE;
}

function percentOf(cell: string | undefined): number | null {
  const number = numberOf(cell);
  return number === null ? null : number / 100;
}
