import type { DType } from '../graph/dtype.ts';
import type { Pointer } from './c-api.ts';
import type { Device } from './device.ts';

/** Memory of a device, for tensors that stay there and that sessions of the device compute with. */
export interface TensorMemory {
  readonly device: Device;
  /** Whether a run may write a result over what it reads; elsewhere it needs a place of its own. */
  readonly writesInPlace: boolean;
  /** Whether a tensor may begin within another one ({@link part}); elsewhere only where that begins. */
  readonly hasAddresses: boolean;

  /**
   * A tensor of unknown numbers, to be released with `ReleaseValue`.
   *
   * @throws LorafaError `device.out_of_memory` when there is no room for it
   */
  allocate(dtype: DType, shape: readonly number[]): Pointer;

  /** A tensor over bytes of another one, to be released with `ReleaseValue` while that is there. */
  part(
    whole: Pointer,
    start: number,
    bytes: number,
    dtype: DType,
    shape: readonly number[],
  ): Pointer;

  /** Copies a tensor into another one as large; either may be the host's. Waits until it is done. */
  copy(from: Pointer, to: Pointer): void;

  /** Makes the numbers of a float32 tensor zero. */
  clear(tensor: Pointer, length: number): void;
}
