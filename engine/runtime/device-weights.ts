import { setImmediate as othersTurn } from 'node:timers/promises';
import type { DType } from '../graph/dtype.ts';
import type { Pointer } from './c-api.ts';
import type { CudaMemory } from './cuda-memory.ts';
import { HostValues } from './host-values.ts';
import { check, ort } from './onnx-runtime.ts';

/** A weight in the host's memory. */
export interface HostWeight {
  /** In the graph. */
  readonly name: string;
  /** The file and the place that it is from. */
  readonly source: string;
  readonly address: Pointer;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly bytes: number;
}

/** Told how many bytes of a session's weights are on its device, of those that were not there before. */
export type OnUpload = (done: number, total: number) => void;

/** A weight on a device, and how many sessions compute with it. */
interface Uploaded {
  /** What has the memory. */
  readonly owner: Pointer;
  /** A tensor over it: sessions take none that has memory of its own. */
  readonly value: Pointer;
  /** Settled when all of it is there. */
  ready: Promise<void>;
  users: number;
}

/** What of the weights goes up at once: a piece takes some milliseconds. */
const PIECE_BYTES = 2 ** 26;

/** All weights of the process on devices. */
const uploads = new Map<CudaMemory, Map<string, Uploaded>>();

/**
 * The weights of one session on a device, where all sessions of the process share them: a weight is
 * brought there by the first session that needs it and goes with the last.
 */
export class DeviceWeights {
  readonly #memory: CudaMemory;
  /** By name in the graph. */
  readonly #sources = new Map<string, string>();

  private constructor(memory: CudaMemory) {
    this.#memory = memory;
  }

  /**
   * Brings weights to a device, but for those that are there.
   *
   * @throws LorafaError `device.failed` when there is no room for them
   */
  static async on(
    memory: CudaMemory,
    weights: readonly HostWeight[],
    onUpload: OnUpload = () => undefined,
  ): Promise<DeviceWeights> {
    const taken = new DeviceWeights(memory);
    try {
      const missing = weights.filter((weight) => taken.#take(weight));
      const uploaded = taken.#upload(missing, onUpload);
      for (const { source } of missing) taken.#uploads.get(source)!.ready = uploaded;
      for (const { source } of weights) await taken.#uploads.get(source)!.ready;
      await uploaded;
      return taken;
    } catch (error) {
      taken.release();
      throw error;
    }
  }

  /** Gives the weights to a session that is to be made. */
  addTo(options: Pointer): void {
    for (const [name, source] of this.#sources) {
      check(ort.AddInitializer(options, name, this.#uploads.get(source)!.value));
    }
  }

  /** To be called when the session is gone; calling it again does nothing. */
  release(): void {
    for (const source of this.#sources.values()) {
      const upload = this.#uploads.get(source)!;
      upload.users--;
      if (upload.users > 0) continue;
      this.#uploads.delete(source);
      ort.ReleaseValue(upload.value);
      ort.ReleaseValue(upload.owner);
    }
    this.#sources.clear();
  }

  get #uploads(): Map<string, Uploaded> {
    const found = uploads.get(this.#memory) ?? new Map<string, Uploaded>();
    uploads.set(this.#memory, found);
    return found;
  }

  /** Takes a weight, and says whether nobody has brought it to the device yet. */
  #take(weight: HostWeight): boolean {
    const { name, source } = weight;
    const known = this.#uploads.get(source);
    const upload = known ?? this.#newUpload(weight);
    upload.users++;
    this.#uploads.set(source, upload);
    this.#sources.set(name, source);
    return known === undefined;
  }

  #newUpload({ dtype, shape, bytes }: HostWeight): Uploaded {
    const owner = this.#memory.allocate(dtype, shape);
    const value = this.#memory.part(owner, 0, bytes, dtype, shape);
    return { owner, value, ready: Promise.resolve(), users: 0 };
  }

  async #upload(weights: readonly HostWeight[], onUpload: OnUpload): Promise<void> {
    const total = weights.reduce((sum, { bytes }) => sum + bytes, 0);
    let done = 0;
    for (const { source, address, bytes } of weights) {
      const { value } = this.#uploads.get(source)!;
      for (let start = 0; start < bytes; start += PIECE_BYTES) {
        const size = Math.min(PIECE_BYTES, bytes - start);
        this.#copyPiece(address, value, start, size);
        done += size;
        onUpload(done, total);
        await othersTurn();
      }
    }
  }

  #copyPiece(address: Pointer, value: Pointer, start: number, size: number): void {
    const host = new HostValues();
    const piece = this.#memory.part(value, start, size, 'uint8', [size]);
    try {
      this.#memory.copy(host.at(address + BigInt(start), size, 'uint8', [size]), piece);
    } finally {
      ort.ReleaseValue(piece);
      host.release();
    }
  }
}
