import type { Pointer } from './c-api.ts';
import { checkOnednn, madeBy, type OnednnApi, openOnednnApi } from './onednn-api.ts';
import type { OnednnLibrary } from './onednn-library.ts';
import { physicalCores } from './physical-cores.ts';

/** `dnnl_data_type_t` */
const DATA_TYPE = { bfloat16: 2, float32: 3 } as const;

/** `dnnl_engine_kind_t`, `dnnl_stream_flags_t` */
const [CPU_ENGINE, IN_ORDER] = [1, 1];

/** `dnnl_binary_sub` */
const SUBTRACT = 0x1fff5;

/** `DNNL_ARG_*`: what each tensor of a primitive is to it. */
const ARG = { source: 1, secondSource: 2, result: 17, weights: 33 } as const;

/** All bits of `dnnl_cpu_isa_avx512_core_bf16`; what has AMX has these too. */
const BFLOAT16_INSTRUCTIONS = 0xe7;

/** A matrix `[rows, columns]` as it lies in memory, row after row or column after column. */
export interface Matrix {
  readonly dtype: keyof typeof DATA_TYPE;
  readonly rows: number;
  readonly columns: number;
  readonly isTransposed?: boolean;
}

/** One computation with tensors of fixed shapes, which reads and writes where it is told to. */
export interface Primitive {
  /** @param addresses of the tensors, in the order in which the primitive was given them */
  run(addresses: readonly Pointer[]): void;
  release(): void;
}

/**
 * oneDNN's computations on the CPU, of which every call is over when it returns. Primitives are made
 * for the instructions that the processor has, when they are asked for.
 */
export class Onednn {
  readonly #api: OnednnApi;
  readonly #engine: Pointer;
  readonly #stream: Pointer;
  readonly #cores = physicalCores();

  /** Throws Error where the library or OpenMP cannot be loaded. */
  constructor(library: OnednnLibrary) {
    const api = openOnednnApi(library);
    this.#api = api;
    this.#engine = madeBy((out) => api.engine_create(out, CPU_ENGINE, 0));
    this.#stream = madeBy((out) => api.stream_create(out, this.#engine, IN_ORDER));
  }

  /** Whether the processor multiplies bfloat16 numbers; without that they would be emulated. */
  get hasBfloat16(): boolean {
    const instructions = this.#api.get_effective_cpu_isa();
    return (instructions & BFLOAT16_INSTRUCTIONS) === BFLOAT16_INSTRUCTIONS;
  }

  /** Threads of what is made and computed from now on; 0 takes one per physical core. */
  useThreads(threads: number): void {
    this.#api.omp_set_num_threads(threads === 0 ? this.#cores : threads);
  }

  /** A copy in another type, rounded to nearest, ties to even. */
  convert(from: Matrix, to: Matrix): Primitive {
    const tensors = [
      [ARG.source, from],
      [ARG.result, to],
    ] as const;
    return this.#primitive(tensors, (out, [source, result]) =>
      this.#api.reorder_primitive_desc_create(
        out,
        source!,
        this.#engine,
        result!,
        this.#engine,
        null,
      ),
    );
  }

  /** `result = a − b` */
  subtract(a: Matrix, b: Matrix, result: Matrix): Primitive {
    const tensors = [
      [ARG.source, a],
      [ARG.secondSource, b],
      [ARG.result, result],
    ] as const;
    return this.#primitive(tensors, (out, [first, second, difference]) =>
      this.#api.binary_primitive_desc_create(
        out,
        this.#engine,
        SUBTRACT,
        first!,
        second!,
        difference!,
        null,
      ),
    );
  }

  /** `result = a · b`, or `result += a · b`. */
  multiply(a: Matrix, b: Matrix, result: Matrix, isAdded: boolean): Primitive {
    const tensors = [
      [ARG.source, a],
      [ARG.weights, b],
      [ARG.result, result],
    ] as const;
    const api = this.#api;
    const attributes = isAdded ? this.#adding() : null;
    try {
      return this.#primitive(tensors, (out, [left, right, product]) =>
        api.matmul_primitive_desc_create(
          out,
          this.#engine,
          left!,
          right!,
          null,
          product!,
          attributes,
        ),
      );
    } finally {
      if (attributes !== null) api.primitive_attr_destroy(attributes);
    }
  }

  /** Attributes of a primitive that adds to what is there. */
  #adding(): Pointer {
    const api = this.#api;
    const steps = madeBy((out) => api.post_ops_create(out));
    try {
      checkOnednn(api.post_ops_append_sum(steps, 1, 0, DATA_TYPE.float32));
      const attributes = madeBy((out) => api.primitive_attr_create(out));
      checkOnednn(api.primitive_attr_set_post_ops(attributes, steps));
      return attributes;
    } finally {
      api.post_ops_destroy(steps);
    }
  }

  #primitive(
    tensors: readonly (readonly [argument: number, matrix: Matrix])[],
    describe: (out: BigUint64Array, descriptions: readonly Pointer[]) => number,
  ): Primitive {
    const api = this.#api;
    const descriptions = tensors.map(([, matrix]) => this.#describe(matrix));
    try {
      const description = madeBy((out) => describe(out, descriptions));
      try {
        const primitive = madeBy((out) => api.primitive_create(out, description));
        const memories = descriptions.map((each) =>
          madeBy((out) => api.memory_create(out, each, this.#engine, null)),
        );
        const passed = passedTensors(tensors.map(([argument], i) => [argument, memories[i]!]));
        return {
          run: (addresses) => {
            addresses.forEach((address, i) => {
              checkOnednn(api.memory_set_data_handle(memories[i]!, address));
            });
            checkOnednn(api.primitive_execute(primitive, this.#stream, memories.length, passed));
            checkOnednn(api.stream_wait(this.#stream));
          },
          release: () => {
            for (const memory of memories) api.memory_destroy(memory);
            api.primitive_destroy(primitive);
          },
        };
      } finally {
        api.primitive_desc_destroy(description);
      }
    } finally {
      for (const each of descriptions) api.memory_desc_destroy(each);
    }
  }

  #describe({ dtype, rows, columns, isTransposed = false }: Matrix): Pointer {
    const sizes = BigInt64Array.of(BigInt(rows), BigInt(columns));
    const steps = isTransposed ? [1, rows] : [columns, 1];
    const strides = BigInt64Array.from(steps, BigInt);
    return madeBy((out) =>
      this.#api.memory_desc_create_with_strides(out, 2, sizes, DATA_TYPE[dtype], strides),
    );
  }
}

/** An array of `dnnl_exec_arg_t { int arg; dnnl_memory_t memory; }`, in memory that never moves. */
function passedTensors(tensors: readonly (readonly [number, Pointer])[]): Uint8Array {
  const bytes = new ArrayBuffer(16 * tensors.length);
  const view = new DataView(bytes);
  tensors.forEach(([argument, memory], i) => {
    view.setInt32(16 * i, argument, true);
    view.setBigUint64(16 * i + 8, memory, true);
  });
  return new Uint8Array(bytes);
}
