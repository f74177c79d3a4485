import { stateOfAdapter } from '../lora/adapter-tensors.ts';
import type { LoraModule } from '../lora/lora-module.ts';
import { type Device, hasOwnMemory } from '../runtime/device.ts';
import { StateTensor } from '../runtime/state-tensor.ts';
import type { RuntimeWeights } from './sequence.ts';

/** Adapters that are kept on a device; those of one comparison fit. */
const KEPT_ADAPTERS = 4;

/** The weights of adapters where a device computes with them: each is brought there once, the latest are kept. */
export class AdaptersOnDevice {
  readonly #device: Device;
  /** By the weights that they are copies of. Used last comes last. */
  readonly #kept = new Map<RuntimeWeights, ReadonlyMap<string, StateTensor>>();

  constructor(device: Device) {
    this.#device = device;
  }

  /**
   * What a session of the device is fed with. Tensors are that already, and the CPU reads arrays where they are;
   * other arrays are copied, and the copies are there until so many other adapters were asked for.
   *
   * @throws LorafaError `device.failed` when there is no room for them
   */
  weightsOf(modules: readonly LoraModule[], weights: RuntimeWeights): RuntimeWeights {
    if (!hasOwnMemory(this.#device) || !areArrays(weights)) return weights;
    const kept =
      this.#kept.get(weights) ?? stateOfAdapter({ modules, weights }, () => this.#device);
    this.#kept.delete(weights);
    this.#kept.set(weights, kept);
    const [oldest] = this.#kept;
    if (oldest !== undefined && this.#kept.size > KEPT_ADAPTERS) this.#drop(...oldest);
    return kept;
  }

  /** Frees the memory; calling it again does nothing. */
  release(): void {
    for (const kept of [...this.#kept]) this.#drop(...kept);
  }

  #drop(weights: RuntimeWeights, copies: ReadonlyMap<string, StateTensor>): void {
    this.#kept.delete(weights);
    for (const tensor of copies.values()) tensor.release();
  }
}

function areArrays(weights: RuntimeWeights): weights is ReadonlyMap<string, Float32Array> {
  return [...weights.values()].every((values) => !(values instanceof StateTensor));
}
