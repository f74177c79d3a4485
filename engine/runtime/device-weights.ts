import { setImmediate as othersTurn } from 'node:timers/promises';
import { staticSize } from '../graph/dim.ts';
import { DTYPE_BYTES, type DType } from '../graph/dtype.ts';
import type { Pointer } from './c-api.ts';
import { HostValues } from './host-values.ts';
import { check, ort } from './onnx-runtime.ts';
import type { TensorMemory } from './tensor-memory.ts';
import { widenedAt } from './widened-at.ts';

/** A weight in the host's memory. */
export interface HostWeight {
  /** In the graph. */
  readonly name: string;
  /** The file and the place that it is from. */
  readonly source: string;
  readonly address: Pointer;
  /** What it is in the file. */
  readonly stored: DType;
  /** What the graph takes it for: what is stored, or float32, into which it is widened on its way to a device. */
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** In the file. */
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

/** What of the weights goes up at once where a tensor can be filled in pieces: a piece takes some milliseconds. */
const PIECE_BYTES = 2 ** 26;

/** All weights of the process on devices. */
const uploads = new Map<TensorMemory, Map<string, Uploaded>>();

/**
 * The weights of one session on a device, where all sessions of the process share them: a weight is
 * brought there by the first session that needs it and goes with the last.
 */
export class DeviceWeights {
  readonly #memory: TensorMemory;
  /** By name in the graph. */
  readonly #sources = new Map<string, string>();

  private constructor(memory: TensorMemory) {
    this.#memory = memory;
  }

  /**
   * Brings weights to a device, but for those that are there.
   *
   * @throws LorafaError `device.out_of_memory` when there is no room for them
   */
  static async on(
    memory: TensorMemory,
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

  #newUpload({ dtype, shape }: HostWeight): Uploaded {
    const bytes = DTYPE_BYTES[dtype] * staticSize(shape)!;
    const owner = this.#memory.allocate(dtype, shape);
    const value = this.#memory.part(owner, 0, bytes, dtype, shape);
    return { owner, value, ready: Promise.resolve(), users: 0 };
  }

  async #upload(weights: readonly HostWeight[], onUpload: OnUpload): Promise<void> {
    const total = weights.reduce((sum, { bytes }) => sum + bytes, 0);
    let done = 0;
    for (const weight of weights) {
      for (const size of this.#pieces(weight)) {
        done += size;
        onUpload(done, total);
        await othersTurn();
      }
    }
  }

  /** Brings a weight up piece by piece; gives their sizes. */
  *#pieces(weight: HostWeight): Generator<number> {
    const { source, address, bytes, dtype, stored, shape } = weight;
    const { value } = this.#uploads.get(source)!;
    if (dtype !== stored) {
      const widened = widenedAt(address, stored, staticSize(shape)!);
      this.#copy(value, (host) => host.over('float32', { data: widened, shape }));
      yield bytes;
    } else if (!this.#memory.hasAddresses) {
      this.#copy(value, (host) => host.at(address, bytes, dtype, shape));
      yield bytes;
    } else {
      for (let start = 0; start < bytes; start += PIECE_BYTES) {
        const size = Math.min(PIECE_BYTES, bytes - start);
        const piece = this.#memory.part(value, start, size, 'uint8', [size]);
        try {
          this.#copy(piece, (host) => host.at(address + BigInt(start), size, 'uint8', [size]));
        } finally {
          ort.ReleaseValue(piece);
        }
        yield size;
      }
    }
  }

  #copy(target: Pointer, from: (host: HostValues) => Pointer): void {
    const host = new HostValues();
    try {
      this.#memory.copy(from(host), target);
    } finally {
      host.release();
    }
  }
}
