import type { AttentionSizes } from '../graph/ops/attention.ts';
import type { AttentionJob, PartialSums } from './attention-job.ts';
import { type AttentionShare, attentionShares, usefulThreads } from './attention-shares.ts';
import type { AttentionThreads } from './attention-threads.ts';
import type { Pointer } from './c-api.ts';
import { type AttentionInputs, CausalAttention } from './causal-attention.ts';
import type { Onednn } from './onednn.ts';
import type { SharedPool } from './shared-pool.ts';

/**
 * Causal attention and its gradients, divided among as many of the threads that oneDNN computes by as are of use. What comes out
 * depends on their number alone: a share that no other thread has begun, or has ended, is computed here, as a share.
 */
export class SplitAttention {
  readonly #onednn: Onednn;
  readonly #sizes: AttentionSizes;
  readonly #threads: AttentionThreads;
  readonly #attention: CausalAttention;
  readonly #shares = new Map<number, AttentionShare[]>();

  constructor(onednn: Onednn, pool: SharedPool, sizes: AttentionSizes, threads: AttentionThreads) {
    this.#onednn = onednn;
    this.#sizes = sizes;
    this.#threads = threads;
    this.#attention = new CausalAttention(onednn, pool, sizes);
  }

  /** Writes `softmax(q kᵀ) v` over all rows. */
  attend(inputs: AttentionInputs, result: Pointer): void {
    this.#compute({ kind: 'attend', inputs, gradient: 0n, result });
  }

  /** Writes the gradients of all queries, then of all keys, then of all values. */
  gradients(inputs: AttentionInputs, gradient: Pointer, result: Pointer): void {
    const sums = this.#compute({ kind: 'gradients', inputs, gradient, result });
    for (const [row, ofRow] of sums) {
      this.#onednn.alone(() => this.#attention.addUp(row, ofRow, result));
    }
  }

  release(): void {
    this.#attention.release();
    const none = { inputs: { query: 0n, key: 0n, value: 0n }, gradient: 0n, result: 0n };
    this.#threads.release({ ...none, kind: 'release', sizes: this.#sizes, threads: 1, share: 0 });
  }

  /** @returns the sums over parts of rows, by their rows, in the order of the shares */
  #compute(
    of: Pick<AttentionJob, 'kind' | 'inputs' | 'gradient' | 'result'>,
  ): ReadonlyMap<number, PartialSums[]> {
    const shares = this.#sharesOf(this.#onednn.threads);
    const threads = shares.length;
    const jobs = shares.map((_, share) => ({ ...of, sizes: this.#sizes, threads, share }));
    const [, ...others] = shares.map((parts, share) =>
      share === 0 || parts.length === 0 ? undefined : this.#threads.at(share - 1),
    );
    const sums = new Map<number, PartialSums[]>();
    others.forEach((thread, i) => {
      thread?.post(jobs[i + 1]!);
    });
    try {
      shares.forEach((parts, share) => {
        const made =
          others[share - 1]?.finish() ??
          this.#onednn.alone(() => this.#attention.compute(jobs[share]!, parts));
        const ofParts = parts.filter(({ partialSum }) => partialSum !== undefined);
        made.forEach((each, i) => {
          const { row } = ofParts[i]!;
          sums.set(row, [...(sums.get(row) ?? []), each]);
        });
      });
    } finally {
      // Where this thread failed, no other may go on with memory that is about to be gone.
      for (const thread of others) thread?.finish();
    }
    return sums;
  }

  #sharesOf(threads: number): AttentionShare[] {
    const sizes = this.#sizes;
    const known =
      this.#shares.get(threads) ?? attentionShares(sizes, usefulThreads(sizes, threads));
    this.#shares.set(threads, known);
    return known;
  }
}
