import type { Allocator } from './liveness.ts';

/** Sizes are multiples of this (`kMinAllocationSize`). */
const GRANULARITY = 256;

/** A larger rest is never wasted (`max_dead_bytes_per_chunk`). */
const MAX_DEAD_BYTES = 2 ** 27;

/** A piece of a block that the device was asked for; neighbours are of the same block. */
interface Chunk {
  bytes: number;
  isFree: boolean;
  before: Chunk | undefined;
  after: Chunk | undefined;
}

/**
 * ONNX Runtime's arena as sessions on a device have it (`BFCArena` with `kSameAsRequested`): a block of the device for
 * each tensor that no free piece is large enough for, pieces split where they are twice as large as what is wanted, and
 * joined with their neighbours when they are free. Blocks are never given back, so that small ones are of no use to large
 * tensors: what a graph takes is more than what is alive.
 */
export class DeviceArena implements Allocator<Chunk> {
  readonly #free: Chunk[] = [];
  #bytes = 0;

  /** What the device was asked for so far. */
  get bytes(): number {
    return this.#bytes;
  }

  take(bytes: number): Chunk {
    const wanted = Math.max(1, Math.ceil(bytes / GRANULARITY)) * GRANULARITY;
    const chunk = this.#smallestFor(wanted);
    if (chunk === undefined) {
      this.#bytes += wanted;
      return { bytes: wanted, isFree: false, before: undefined, after: undefined };
    }
    this.#free.splice(this.#free.indexOf(chunk), 1);
    chunk.isFree = false;
    const rest = chunk.bytes - wanted;
    if (chunk.bytes >= 2 * wanted || rest >= MAX_DEAD_BYTES) {
      const split = { bytes: rest, isFree: true, before: chunk, after: chunk.after };
      if (chunk.after !== undefined) chunk.after.before = split;
      chunk.after = split;
      chunk.bytes = wanted;
      this.#free.push(split);
    }
    return chunk;
  }

  give(chunk: Chunk): void {
    chunk.isFree = true;
    for (const other of [chunk.before, chunk.after]) {
      if (!other?.isFree) continue;
      this.#free.splice(this.#free.indexOf(other), 1);
      chunk.bytes += other.bytes;
      if (other === chunk.before) chunk.before = other.before;
      else chunk.after = other.after;
    }
    if (chunk.before !== undefined) chunk.before.after = chunk;
    if (chunk.after !== undefined) chunk.after.before = chunk;
    this.#free.push(chunk);
  }

  #smallestFor(bytes: number): Chunk | undefined {
    let best: Chunk | undefined;
    for (const chunk of this.#free) {
      if (chunk.bytes >= bytes && (best === undefined || chunk.bytes < best.bytes)) best = chunk;
    }
    return best;
  }
}
