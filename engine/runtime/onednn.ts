import type { Pointer } from './c-api.ts';
import { checkOnednn, madeBy, type OnednnApi, openOnednnApi } from './onednn-api.ts';
import type { OnednnLibrary } from './onednn-library.ts';
import { threadsSpin } from './onednn-threads.ts';
import { physicalCores } from './physical-cores.ts';

/** `dnnl_data_type_t` */
const DATA_TYPE = { bfloat16: 2, float32: 3, int32: 4, uint8: 6 } as const;

/** `dnnl_engine_kind_t`, `dnnl_stream_flags_t` */
const [CPU_ENGINE, IN_ORDER] = [1, 1];

/** `dnnl_binary_add`, `dnnl_binary_mul`, `dnnl_binary_sub` */
const BINARY = { add: 0x1fff0, multiply: 0x1fff1, subtract: 0x1fff5 } as const;

/** `dnnl_eltwise_swish`, `dnnl_softmax_accurate` */
const [SWISH, SOFTMAX] = [0x2c, 0x30000];

/** Masks: the axes of which each index has a number of its own. */
const [COMMON, EACH_ROW] = [0, 1];

/** `dnnl_forward_training`, `dnnl_forward_inference` */
const [FORWARD_TRAINING, FORWARD_INFERENCE] = [64, 96];

/** `DNNL_ARG_*`: what each tensor of a primitive is to it. */
const ARG = {
  source: 1,
  secondSource: 2,
  result: 17,
  weights: 33,
  sourceGradient: 129,
  resultGradient: 145,
  sourceScales: 4097,
  sourceZeroPoint: 8193,
} as const;

/** All bits of `dnnl_cpu_isa_avx512_core_bf16`; what has AMX has these too. */
const BFLOAT16_INSTRUCTIONS = 0xe7;

/** All bits of `dnnl_cpu_isa_avx512_core_amx`. */
const TILE_INSTRUCTIONS = 0xfef;

/**
 * Waking a thread that sleeps takes as long as one thread needs to copy so many numbers or to multiply and
 * add so many (70 µs, measured): what is no larger is computed by the thread that asks. One that looks out
 * for work has it within a microsecond.
 */
const ALONE = { numbers: 2 ** 19, products: 2 ** 25, productsOfSpinning: 2 ** 17 } as const;

/** How the numbers of a tensor lie in memory. */
export interface Layout {
  readonly dtype: keyof typeof DATA_TYPE;
  readonly sizes: readonly number[];
  /** Numbers from one index to the next of each axis; row-major without gaps unless given. */
  readonly strides?: readonly number[];
}

/** A matrix in memory, row after row, or column after column where it is transposed. */
export function matrix(
  dtype: Layout['dtype'],
  rows: number,
  columns: number,
  isTransposed = false,
): Layout {
  return { dtype, sizes: [rows, columns], ...(isTransposed && { strides: [1, rows] }) };
}

/** One computation with tensors of fixed shapes, which reads and writes where it is told to. */
export interface Primitive {
  /** @param addresses of the tensors, in the order in which the primitive was given them */
  run(addresses: readonly Pointer[]): void;
  release(): void;
}

/** Makes the description of a primitive from those of its tensors. */
type Describe = (out: BigUint64Array, tensors: readonly Pointer[]) => number;

type Arguments = readonly (readonly [argument: number, layout: Layout])[];

/**
 * oneDNN's computations on the CPU, of which every call is over when it returns. Primitives are made
 * for the instructions that the processor has, when they are asked for.
 */
export class Onednn {
  readonly #api: OnednnApi;
  readonly #engine: Pointer;
  readonly #stream: Pointer;
  readonly #cores = physicalCores();
  #threads = 0;

  /** Throws Error where the library or OpenMP cannot be loaded. */
  constructor(library: OnednnLibrary) {
    const api = openOnednnApi(library);
    this.#api = api;
    this.#engine = madeBy((out) => api.engine_create(out, CPU_ENGINE, 0));
    this.#stream = madeBy((out) => api.stream_create(out, this.#engine, IN_ORDER));
  }

  /** Whether the processor multiplies bfloat16 numbers; without that they would be emulated. */
  get hasBfloat16(): boolean {
    return this.#has(BFLOAT16_INSTRUCTIONS);
  }

  /** Whether it multiplies whole tiles of them at once (AMX), several times as fast. */
  get hasTiles(): boolean {
    return this.#has(TILE_INSTRUCTIONS);
  }

  #has(instructions: number): boolean {
    return (this.#api.get_effective_cpu_isa() & instructions) === instructions;
  }

  /** Threads of what is made and computed from now on; 0 takes one per physical core. */
  useThreads(threads: number): void {
    this.#threads = this.threadsOf(threads);
    this.#api.omp_set_num_threads(this.#threads);
  }

  /** As many threads as {@link useThreads} takes. */
  threadsOf(threads: number): number {
    return threads === 0 ? this.#cores : threads;
  }

  /** Threads of what is made and computed now. */
  get threads(): number {
    return this.#threads;
  }

  /** Has `act` make and compute by one thread. */
  alone<T>(act: () => T): T {
    const threads = this.#threads;
    if (threads === 1) return act();
    this.useThreads(1);
    try {
      return act();
    } finally {
      this.useThreads(threads);
    }
  }

  /** A copy in another type or order; rounds to nearest, ties to even. */
  convert(from: Layout, to: Layout): Primitive {
    const tensors = [
      [ARG.source, from],
      [ARG.result, to],
    ] as const;
    const engine = this.#engine;
    const isSmall = elements(to) <= ALONE.numbers;
    return this.#primitive(tensors, isSmall, (out, [source, result]) =>
      this.#api.reorder_primitive_desc_create(out, source!, engine, result!, engine, null),
    );
  }

  /** The numbers `scale · (code − zero point)`, with a scale for each row: tensors are codes, scales, zero point, numbers. */
  dequantize(codes: Layout, numbers: Layout): Primitive {
    const tensors = [
      [ARG.source, codes],
      [ARG.sourceScales, { dtype: 'float32', sizes: codes.sizes.slice(0, 1) }],
      [ARG.sourceZeroPoint, { dtype: 'int32', sizes: [1] }],
      [ARG.result, numbers],
    ] as const;
    const [api, engine] = [this.#api, this.#engine];
    const isSmall = elements(numbers) <= ALONE.numbers;
    return this.#primitive(tensors, isSmall, (out, [source, , , result]) =>
      this.#withAttributes((attributes) => {
        checkOnednn(api.primitive_attr_set_scales_mask(attributes, ARG.source, EACH_ROW));
        checkOnednn(api.primitive_attr_set_zero_points_mask(attributes, ARG.source, COMMON));
        return api.reorder_primitive_desc_create(out, source!, engine, result!, engine, attributes);
      }),
    );
  }

  /** `a + b`, `a − b` or `a ∘ b`, number by number. */
  combine(step: keyof typeof BINARY, a: Layout, b: Layout, result: Layout): Primitive {
    const tensors = [
      [ARG.source, a],
      [ARG.secondSource, b],
      [ARG.result, result],
    ] as const;
    const isSmall = elements(result) <= ALONE.numbers;
    return this.#primitive(tensors, isSmall, (out, [first, second, combined]) =>
      this.#api.binary_primitive_desc_create(
        out,
        this.#engine,
        BINARY[step],
        first!,
        second!,
        combined!,
        null,
      ),
    );
  }

  /** `silu(x)` */
  swish(x: Layout, result: Layout): Primitive {
    const tensors = [
      [ARG.source, x],
      [ARG.result, result],
    ] as const;
    const isSmall = elements(result) <= ALONE.numbers;
    return this.#primitive(tensors, isSmall, (out, [source, product]) =>
      this.#swish(out, FORWARD_INFERENCE, source!, product!),
    );
  }

  /** `silu′(x) ∘ gradient` */
  swishGradient(x: Layout, gradient: Layout, result: Layout): Primitive {
    const tensors = [
      [ARG.source, x],
      [ARG.resultGradient, gradient],
      [ARG.sourceGradient, result],
    ] as const;
    const api = this.#api;
    const isSmall = elements(result) <= ALONE.numbers;
    return this.#primitive(tensors, isSmall, (out, [source, above, below]) => {
      const forward = madeBy((made) => this.#swish(made, FORWARD_TRAINING, source!, source!));
      try {
        return api.eltwise_backward_primitive_desc_create(
          out,
          this.#engine,
          SWISH,
          below!,
          above!,
          source!,
          1,
          0,
          forward,
          null,
        );
      } finally {
        api.primitive_desc_destroy(forward);
      }
    });
  }

  #swish(out: BigUint64Array, kind: number, source: Pointer, result: Pointer): number {
    return this.#api.eltwise_forward_primitive_desc_create(
      out,
      this.#engine,
      kind,
      SWISH,
      source,
      result,
      1,
      0,
      null,
    );
  }

  /** `result = a · b` of matrices or of batches of them, or `result += a · b`. */
  multiply(a: Layout, b: Layout, result: Layout, isAdded = false): Primitive {
    const tensors = [
      [ARG.source, a],
      [ARG.weights, b],
      [ARG.result, result],
    ] as const;
    const alone = threadsSpin() ? ALONE.productsOfSpinning : ALONE.products;
    const isSmall = elements(result) * a.sizes.at(-1)! <= alone;
    return this.#primitive(tensors, isSmall, (out, [left, right, product]) => {
      const describe = (attributes: Pointer | null): number =>
        this.#api.matmul_primitive_desc_create(
          out,
          this.#engine,
          left!,
          right!,
          null,
          product!,
          attributes,
        );
      return isAdded ? this.#adding(describe) : describe(null);
    });
  }

  /** The softmax of each row of a matrix. */
  softmax(x: Layout, result: Layout): Primitive {
    const tensors = [
      [ARG.source, x],
      [ARG.result, result],
    ] as const;
    const isSmall = elements(x) <= ALONE.numbers;
    return this.#primitive(tensors, isSmall, (out, [source, probabilities]) =>
      this.#softmax(out, FORWARD_INFERENCE, source!, probabilities!),
    );
  }

  /** `probabilities ∘ (gradient − Σ probabilities ∘ gradient)`, row by row. */
  softmaxGradient(probabilities: Layout, gradient: Layout, result: Layout): Primitive {
    const tensors = [
      [ARG.result, probabilities],
      [ARG.resultGradient, gradient],
      [ARG.sourceGradient, result],
    ] as const;
    const api = this.#api;
    const isSmall = elements(gradient) <= ALONE.numbers;
    return this.#primitive(tensors, isSmall, (out, [from, above, below]) => {
      const forward = madeBy((made) => this.#softmax(made, FORWARD_TRAINING, from!, from!));
      try {
        return api.softmax_backward_primitive_desc_create(
          out,
          this.#engine,
          SOFTMAX,
          below!,
          above!,
          from!,
          1,
          forward,
          null,
        );
      } finally {
        api.primitive_desc_destroy(forward);
      }
    });
  }

  #softmax(out: BigUint64Array, kind: number, source: Pointer, result: Pointer): number {
    return this.#api.softmax_forward_primitive_desc_create(
      out,
      this.#engine,
      kind,
      SOFTMAX,
      source,
      result,
      1,
      null,
    );
  }

  /** What `describe` makes with the attributes of a primitive that adds to what is there. */
  #adding(describe: (attributes: Pointer) => number): number {
    const api = this.#api;
    const steps = madeBy((out) => api.post_ops_create(out));
    try {
      checkOnednn(api.post_ops_append_sum(steps, 1, 0, DATA_TYPE.float32));
      return this.#withAttributes((attributes) => {
        checkOnednn(api.primitive_attr_set_post_ops(attributes, steps));
        return describe(attributes);
      });
    } finally {
      api.post_ops_destroy(steps);
    }
  }

  #withAttributes(describe: (attributes: Pointer) => number): number {
    const attributes = madeBy((out) => this.#api.primitive_attr_create(out));
    try {
      return describe(attributes);
    } finally {
      this.#api.primitive_attr_destroy(attributes);
    }
  }

  /** @param isSmall whether one thread makes it faster than several; its own count is in the primitive */
  #primitive(tensors: Arguments, isSmall: boolean, describe: Describe): Primitive {
    if (!isSmall) return this.#made(tensors, describe);
    const primitive = this.alone(() => this.#made(tensors, describe));
    return { ...primitive, run: (addresses) => this.alone(() => primitive.run(addresses)) };
  }

  #made(tensors: Arguments, describe: Describe): Primitive {
    const api = this.#api;
    const descriptions = tensors.map(([, layout]) => this.#describe(layout));
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

  #describe({ dtype, sizes, strides = rowMajor(sizes) }: Layout): Pointer {
    const [counts, steps] = [sizes, strides].map((each) => BigInt64Array.from(each, BigInt));
    return madeBy((out) =>
      this.#api.memory_desc_create_with_strides(
        out,
        sizes.length,
        counts!,
        DATA_TYPE[dtype],
        steps!,
      ),
    );
  }
}

function rowMajor(sizes: readonly number[]): number[] {
  return sizes.map((_, axis) => sizes.slice(axis + 1).reduce((a, b) => a * b, 1));
}

function elements({ sizes }: Layout): number {
  return sizes.reduce((a, b) => a * b, 1);
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
