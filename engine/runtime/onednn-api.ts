import { isMainThread } from 'node:worker_threads';
import koffi, { type LibraryHandle } from 'koffi';
import type { Memory, Pointer } from './c-api.ts';
import type { OnednnLibrary } from './onednn-library.ts';
import { withThreadsSet } from './onednn-threads.ts';

/** `omp_pause_hard` */
const PAUSE_HARD = 2;

type Argument = 'int' | 'float' | 'memory' | 'size';

/** How each kind of argument is declared in C. */
const ARGUMENTS: { readonly [A in Argument]: string } = {
  int: 'int',
  float: 'float',
  memory: 'void *',
  size: 'size_t',
};

/**
 * The functions that are used of oneDNN's C API (dnnl.h of version 3.2), by their names without
 * `dnnl_`. All return a `dnnl_status_t`, 0 for success, but for the one that tells what the processor has.
 */
const FUNCTIONS = {
  get_effective_cpu_isa: [],
  engine_create: ['memory', 'int', 'size'],
  stream_create: ['memory', 'memory', 'int'],
  stream_wait: ['memory'],
  memory_desc_create_with_strides: ['memory', 'int', 'memory', 'int', 'memory'],
  memory_desc_destroy: ['memory'],
  memory_create: ['memory', 'memory', 'memory', 'memory'],
  memory_set_data_handle: ['memory', 'memory'],
  memory_destroy: ['memory'],
  post_ops_create: ['memory'],
  post_ops_append_sum: ['memory', 'float', 'int', 'int'],
  post_ops_destroy: ['memory'],
  primitive_attr_create: ['memory'],
  primitive_attr_set_post_ops: ['memory', 'memory'],
  primitive_attr_set_scales_mask: ['memory', 'int', 'int'],
  primitive_attr_set_zero_points_mask: ['memory', 'int', 'int'],
  primitive_attr_destroy: ['memory'],
  reorder_primitive_desc_create: ['memory', 'memory', 'memory', 'memory', 'memory', 'memory'],
  binary_primitive_desc_create: ['memory', 'memory', 'int', 'memory', 'memory', 'memory', 'memory'],
  matmul_primitive_desc_create: [
    'memory',
    'memory',
    'memory',
    'memory',
    'memory',
    'memory',
    'memory',
  ],
  eltwise_forward_primitive_desc_create: [
    'memory',
    'memory',
    'int',
    'int',
    'memory',
    'memory',
    'float',
    'float',
    'memory',
  ],
  eltwise_backward_primitive_desc_create: [
    'memory',
    'memory',
    'int',
    'memory',
    'memory',
    'memory',
    'float',
    'float',
    'memory',
    'memory',
  ],
  softmax_forward_primitive_desc_create: [
    'memory',
    'memory',
    'int',
    'int',
    'memory',
    'memory',
    'int',
    'memory',
  ],
  softmax_backward_primitive_desc_create: [
    'memory',
    'memory',
    'int',
    'memory',
    'memory',
    'memory',
    'int',
    'memory',
    'memory',
  ],
  primitive_desc_destroy: ['memory'],
  primitive_create: ['memory', 'memory'],
  primitive_execute: ['memory', 'memory', 'int', 'memory'],
  primitive_destroy: ['memory'],
} as const satisfies Readonly<Record<string, readonly Argument[]>>;

type FunctionName = keyof typeof FUNCTIONS;
type Arguments<A extends readonly Argument[]> = {
  [I in keyof A]: A[I] extends 'memory' ? Memory : number;
};

/** oneDNN's C API as functions of JavaScript. */
export type OnednnApi = {
  readonly [N in FunctionName]: (...parameters: Arguments<(typeof FUNCTIONS)[N]>) => number;
} & {
  /** How many threads OpenMP takes for what this thread asks for from now on. */
  readonly omp_set_num_threads: (threads: number) => void;
  /** Whoever has the functions has these too: without them, the libraries are unloaded under them. */
  readonly libraries: readonly LibraryHandle[];
};

/** Loads the libraries and finds their functions. Throws Error where one cannot be loaded. */
export function openOnednnApi({ file, openmp }: OnednnLibrary): OnednnApi {
  const [threading, library] = withThreadsSet(
    () => [koffi.load(openmp), koffi.load(file)] as const,
  );
  const entries = (Object.keys(FUNCTIONS) as FunctionName[]).map((name) => {
    const parameters = FUNCTIONS[name].map((argument: Argument) => ARGUMENTS[argument]);
    return [name, library.func(`dnnl_${name}`, 'int', parameters)] as const;
  });
  endThreadsAtExit(threading);
  return {
    ...Object.fromEntries(entries),
    omp_set_num_threads: threading.func('omp_set_num_threads', 'void', ['int']),
    libraries: [threading, library],
  } as unknown as OnednnApi;
}

/** Its libraries are unloaded when the process exits, while threads may still be in their code: so these end before. */
function endThreadsAtExit(threading: LibraryHandle): void {
  // A thread of JavaScript other than the main one ends with the process, which has done it then.
  if (!isMainThread) return;
  let pause: (kind: number) => number;
  try {
    pause = threading.func('omp_pause_resource_all', 'int', ['int']);
  } catch {
    // OpenMP 2, as Windows has it.
    return;
  }
  process.once('exit', () => pause(PAUSE_HARD));
}

/** What a call makes. Throws as {@link checkOnednn} does. */
export function madeBy(call: (out: BigUint64Array) => number): Pointer {
  const out = new BigUint64Array(1);
  checkOnednn(call(out));
  return out[0]!;
}

/** Throws Error unless a call succeeded. */
export function checkOnednn(status: number): void {
  if (status !== 0) throw new Error(`oneDNN could not go on (status ${status})`);
}
