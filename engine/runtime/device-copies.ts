import type { Value } from '../graph/value.ts';
import type { Pointer } from './c-api.ts';
import type { CudaMemory } from './cuda-memory.ts';
import { HostValues } from './host-values.ts';
import { ort } from './onnx-runtime.ts';
import type { HostDType, Tensor } from './tensor.ts';

/** A tensor of the device that stands for an array of the host. */
interface Copy {
  readonly tensor: Pointer;
  /** Its element type and its shape. */
  readonly type: string;
}

/**
 * Tensors of a device in the place of the arrays that a session is given, and is to fill. They keep their
 * addresses from run to run, since a captured run has them in it. Whoever makes them releases them.
 */
export class DeviceCopies {
  readonly #memory: CudaMemory;
  readonly #inputs = new Map<string, Copy>();
  readonly #outputs = new Map<string, Copy>();

  constructor(memory: CudaMemory) {
    this.#memory = memory;
  }

  /**
   * Brings what an input is given to the device.
   *
   * @throws LorafaError `device.out_of_memory` when there is no room for it
   */
  upload(input: Value, given: Tensor): Pointer {
    const tensor = this.#copyIn(this.#inputs, input, given);
    this.#onHost(input, given, (host) => this.#memory.copy(host, tensor));
    return tensor;
  }

  /**
   * Where an output is computed that an array is to have.
   *
   * @throws LorafaError `device.out_of_memory` when there is no room for it
   */
  roomFor(output: Value, wanted: Tensor): Pointer {
    return this.#copyIn(this.#outputs, output, wanted);
  }

  /** Brings an output into its array. */
  download(output: Value, tensor: Pointer, wanted: Tensor): void {
    this.#onHost(output, wanted, (host) => this.#memory.copy(tensor, host));
  }

  /** Calling it again does nothing. */
  release(): void {
    for (const copies of [this.#inputs, this.#outputs]) {
      for (const { tensor } of copies.values()) ort.ReleaseValue(tensor);
      copies.clear();
    }
  }

  #copyIn(copies: Map<string, Copy>, { name, dtype }: Value, { shape }: Tensor): Pointer {
    const type = `${dtype} ${shape.join('x')}`;
    const known = copies.get(name);
    if (known?.type === type) return known.tensor;
    const tensor = this.#memory.allocate(dtype, shape);
    copies.set(name, { tensor, type });
    if (known !== undefined) ort.ReleaseValue(known.tensor);
    return tensor;
  }

  #onHost({ dtype }: Value, array: Tensor, copy: (host: Pointer) => void): void {
    const values = new HostValues();
    try {
      copy(values.over(dtype as HostDType, array));
      values.finish();
    } finally {
      values.release();
    }
  }
}
