import { LorafaError, messageOf } from '../errors.ts';
import type { Graph } from '../graph/graph.ts';
import { attentionThreads } from './attention-shares.ts';
import { AttentionThreads } from './attention-threads.ts';
import type { Pointer } from './c-api.ts';
import { type Device, formatDevice } from './device.ts';
import { Onednn } from './onednn.ts';
import { type OnednnLibrary, onednnLibrary } from './onednn-library.ts';
import { OWN_OPS, ownDomain } from './own-ops.ts';

/** What multiplies bfloat16 numbers in this process. */
export interface Bfloat16Runtime {
  /** For `AddCustomOpDomain`. */
  readonly domain: Pointer;
  /** Whether it multiplies much faster than float32's products are computed: by AMX. */
  readonly hasTiles: boolean;
  /** Has those threads ready that the attention of a graph has use for; {@link useThreads} works without as well. */
  startThreads(graph: Graph, threads: number): Promise<void>;
  /** Threads of what is made and computed from now on; 0 takes one per physical core. */
  useThreads(threads: number): void;
}

let opened: Bfloat16Runtime | undefined;

/**
 * What multiplies bfloat16 numbers on this machine.
 *
 * @throws LorafaError `device.unavailable` that says what is missing
 */
export function bfloat16Runtime(): Bfloat16Runtime {
  opened ??= openBfloat16(onednnLibrary());
  return opened;
}

/**
 * Makes sure that products of bfloat16 numbers can be had by ops of our own, which are for a processor with
 * instructions for them.
 *
 * @throws LorafaError `device.unavailable`
 */
export function requireBfloat16(device: Device): void {
  if (device.kind !== 'cpu') {
    throw unavailable(
      `Products in bfloat16 by oneDNN need a CPU, and the model runs on ${formatDevice(device)}; set engine.compute to "${device.kind === 'cuda' ? 'bfloat16' : 'float32'}", or engine.device to "cpu".`,
    );
  }
  bfloat16Runtime();
}

/** Whether {@link requireBfloat16} has nothing to say; else what it says. */
export function bfloat16Problem(device: Device): string | undefined {
  try {
    requireBfloat16(device);
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

/** Whether a device multiplies bfloat16 numbers by AMX. */
export function hasTiles(device: Device): boolean {
  return bfloat16Problem(device) === undefined && bfloat16Runtime().hasTiles;
}

/** Whether a graph has products of bfloat16 numbers. */
export function usesBfloat16(graph: Graph): boolean {
  return graph.values.some(({ op }) => OWN_OPS.has(op));
}

/**
 * {@link bfloat16Runtime} by a library, which stays until the process ends.
 *
 * @param library undefined where there is none
 */
export function openBfloat16(library: OnednnLibrary | undefined): Bfloat16Runtime {
  if (library === undefined) {
    throw unavailable(
      `Products in bfloat16 need oneDNN, which is not in this package for ${process.platform} ${process.arch} (there is one for Linux and for Windows on x64); set engine.compute to "float32", install the extension for this platform again, or in a clone run "npm run onednn".`,
    );
  }
  const onednn = loaded(library);
  if (!onednn.hasBfloat16) {
    throw unavailable(
      'This processor has no instructions for products in bfloat16 (neither AVX512-BF16 nor AMX-BF16); set engine.compute to "float32".',
    );
  }
  const threads = new AttentionThreads(library);
  return {
    domain: ownDomain(onednn, threads),
    hasTiles: onednn.hasTiles,
    startThreads: (graph, count) =>
      threads.start(attentionThreads(graph, onednn.threadsOf(count)) - 1),
    useThreads: (count) => onednn.useThreads(count),
  };
}

function loaded(library: OnednnLibrary): Onednn {
  try {
    return new Onednn(library);
  } catch (error) {
    throw new LorafaError(
      'device.unavailable',
      `oneDNN, by which products in bfloat16 are computed, could not be loaded from ${library.file} with ${library.openmp} (${messageOf(error)}); install ${library.openmpSource}, or set engine.compute to "float32".`,
      { location: { file: library.file }, cause: error },
    );
  }
}

function unavailable(message: string): LorafaError {
  return new LorafaError('device.unavailable', message);
}
