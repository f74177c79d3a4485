import { LorafaError } from '../errors.ts';
import { formatBytes } from '../format-bytes.ts';
import { runtimeMemory } from './cuda-runtime.ts';
import { type Device, formatDevice } from './device.ts';
import { isOutOfMemory } from './runtime-words.ts';

/** What to do about it, where nobody knows what is computed. */
const WAY_OUT = 'try smaller batches or shorter rows, or another engine.device';

/** The same where there is more memory than may be taken. */
const WAY_OUT_OF_BOUND = 'set a larger engine.max_memory_gib, or remove it';

/** What ONNX Runtime's arena says where it may not grow so far, with what is left and what was asked for. */
const BOUND = /Available memory of (\d+) is smaller than requested bytes of (\d+)/;

/** What it says where the device gives it no more. */
const REFUSED = /requested buffer of size (\d+)/;

/** A device whose memory is at its end: `device.out_of_memory`. */
export class OutOfMemory extends LorafaError {
  /** What was needed and what there was, for a sentence with a way out of its own. */
  readonly problem: string;
  /** Whether there is more memory, which `engine.max_memory_gib` keeps from the run. */
  readonly isBound: boolean;

  constructor(
    problem: string,
    {
      isBound = false,
      wayOut = isBound ? WAY_OUT_OF_BOUND : WAY_OUT,
      ...rest
    }: {
      readonly isBound?: boolean;
      readonly wayOut?: string;
      readonly detail?: string;
      readonly cause?: unknown;
    } = {},
  ) {
    super('device.out_of_memory', `${problem}; ${wayOut}.`, rest);
    this.problem = problem;
    this.isBound = isBound;
  }
}

/**
 * What ONNX Runtime's words say of the memory of a device, if they say that it is at its end; what is free is asked
 * for now.
 */
export function outOfMemory(device: Device, words: string): OutOfMemory | undefined {
  const bound = BOUND.exec(words);
  if (bound !== null) {
    const [left, wanted] = [Number(bound[1]), Number(bound[2])];
    return boundMet(device, wanted, left, words);
  }
  if (!isOutOfMemory(words)) return undefined;
  const size = REFUSED.exec(words)?.[1];
  const wanted = size === undefined ? '' : `: ${formatBytes(Number(size))} more were needed`;
  return new OutOfMemory(`${formatDevice(device)} has too little memory${wanted}${free(device)}`, {
    detail: words,
  });
}

/**
 * The error for a device of which a run may have no more.
 *
 * @param wanted bytes that were asked for in one piece
 * @param left bytes that it may still have
 */
export function boundMet(
  device: Device,
  wanted: number,
  left: number,
  detail?: string,
): OutOfMemory {
  const problem = `\`engine.max_memory_gib\` gives the run too little memory of ${formatDevice(device)}: ${formatBytes(wanted)} more were needed, and ${formatBytes(left)} of it are left`;
  return new OutOfMemory(problem, { isBound: true, ...(detail !== undefined && { detail }) });
}

function free(device: Device): string {
  if (device.kind === 'cpu') return `, and ${formatBytes(process.availableMemory())} are free`;
  const memory = runtimeMemory(device);
  if (memory === undefined) return '';
  return `, and of ${formatBytes(memory.total)} ${formatBytes(memory.free)} are free`;
}
