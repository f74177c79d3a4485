import type { AttentionSizes } from '../graph/ops/attention.ts';
import type { Pointer } from './c-api.ts';
import type { AttentionInputs } from './causal-attention.ts';

/** What a thread of attention is asked for: its share of a computation, or to free what sizes have taken. */
export interface AttentionJob {
  readonly kind: (typeof KINDS)[number];
  readonly sizes: AttentionSizes;
  /** How many threads share the work, and which of them this is. */
  readonly threads: number;
  readonly share: number;
  readonly inputs: AttentionInputs;
  /** That of the result; 0 unless it is asked for gradients. */
  readonly gradient: Pointer;
  readonly result: Pointer;
}

/** Where the sums over a part of a row lie that gradients of keys and values are added up from. */
export interface PartialSums {
  readonly key: Pointer;
  readonly value: Pointer;
}

const KINDS = ['attend', 'gradients', 'release'] as const;

/** A share begins and ends within a row at most. */
const MAX_PARTIAL_SUMS = 2;

/** Numbers of a job; then how many sums it made, and where they lie. */
const [JOB_WORDS, SUMS_AT] = [16, 17];

const BYTES = 8;

/**
 * The memory in which the main thread and one other hand over jobs: a word that says whose turn it is,
 * and the job. Neither needs an event loop for it, which ONNX Runtime blocks during a whole step.
 */
export class AttentionMailbox {
  readonly memory: SharedArrayBuffer;
  readonly #state: Int32Array;
  readonly #words: BigInt64Array;

  constructor(memory = new SharedArrayBuffer(BYTES * (1 + SUMS_AT + 2 * MAX_PARTIAL_SUMS))) {
    this.memory = memory;
    this.#state = new Int32Array(memory, 0, 1);
    this.#words = new BigInt64Array(memory, BYTES);
  }

  get state(): number {
    return Atomics.load(this.#state, 0);
  }

  /** Goes from one state to another unless it is in a third; returns whether it went. */
  turn(from: number, to: number): boolean {
    if (Atomics.compareExchange(this.#state, 0, from, to) !== from) return false;
    Atomics.notify(this.#state, 0);
    return true;
  }

  /** Sleeps while the state is this one, for some milliseconds at most. */
  waitWhile(state: number, ms = Number.POSITIVE_INFINITY): void {
    const end = performance.now() + ms;
    // Whoever went to this state may tell of it only now, which wakes the one who waits for the next.
    for (let left = ms; left > 0 && this.state === state; left = end - performance.now()) {
      Atomics.wait(this.#state, 0, state, left);
    }
  }

  writeJob({ kind, sizes, threads, share, inputs, gradient, result }: AttentionJob): void {
    const numbers = [
      ...[KINDS.indexOf(kind), threads, share, sizes.rows, sizes.length, sizes.numHeads],
      ...[sizes.numKeyValueHeads, sizes.headDim, sizes.window ?? 0],
      Number(sizes.products === 'bfloat16'),
    ];
    const { query, key, value, beginnings } = inputs;
    const addresses = [query, key, value, beginnings ?? 0n, gradient, result];
    this.#words.set([...numbers.map(BigInt), ...addresses]);
  }

  readJob(): AttentionJob {
    const words = [...this.#words.subarray(0, JOB_WORDS)];
    const [
      kind,
      threads,
      share,
      rows,
      length,
      numHeads,
      numKeyValueHeads,
      headDim,
      window,
      rounds,
    ] = words.map(Number) as [
      number,
      number,
      number,
      number,
      number,
      number,
      number,
      number,
      number,
      number,
    ];
    const [query, key, value, beginnings, gradient, result] = words.slice(10) as [
      bigint,
      bigint,
      bigint,
      bigint,
      bigint,
      bigint,
    ];
    return {
      kind: KINDS[kind]!,
      sizes: {
        ...{ rows, length, numHeads, numKeyValueHeads, headDim },
        window: window === 0 ? null : window,
        products: rounds === 1 ? 'bfloat16' : 'float32',
      },
      threads,
      share,
      inputs: { query, key, value, beginnings: beginnings === 0n ? undefined : beginnings },
      gradient,
      result,
    };
  }

  writeSums(sums: readonly PartialSums[]): void {
    this.#words[JOB_WORDS] = BigInt(sums.length);
    this.#words.set(
      sums.flatMap(({ key, value }) => [key, value]),
      SUMS_AT,
    );
  }

  readSums(): PartialSums[] {
    const words = this.#words.subarray(SUMS_AT);
    return Array.from({ length: Number(this.#words[JOB_WORDS]) }, (_, i) => ({
      key: words[2 * i]!,
      value: words[2 * i + 1]!,
    }));
  }
}

/** The states of a mailbox: nothing to do, a job waits, it is computed, it is done, it went wrong. */
export const STATE = { idle: 0, posted: 1, taken: 2, done: 3, failed: 4 } as const;
