import { stateOfAdapter } from '../lora/adapter-tensors.ts';
import type { LoraModule } from '../lora/lora-module.ts';
import { type Device, hasOwnMemory } from '../runtime/device.ts';
import { StateTensor } from '../runtime/state-tensor.ts';
import type { RuntimeWeights } from './sequence.ts';

/** Adapters that are kept when nobody uses them; those of one comparison fit. */
export const KEPT_ADAPTERS = 4;

/** An adapter where a device computes with it. */
interface KeptAdapter {
  readonly copies: ReadonlyMap<string, StateTensor>;
  /** How many texts are read with it at the moment. */
  users: number;
}

/** What a text is read with until it releases it. */
export interface TakenAdapter {
  readonly weights: RuntimeWeights;
  /** Calling it again does nothing. */
  release(): void;
}

/**
 * The weights of adapters where a device computes with them: each is brought there once, the latest are kept, and so is
 * every one that is in use.
 */
export class AdaptersOnDevice {
  readonly #device: Device;
  /** By the weights that they are copies of. Used last comes last. */
  readonly #kept = new Map<RuntimeWeights, KeptAdapter>();

  constructor(device: Device) {
    this.#device = device;
  }

  /**
   * What a session of the device is fed with. Tensors are that already, and the CPU reads arrays where they are;
   * other arrays are copied.
   *
   * @throws LorafaError `device.out_of_memory` when there is no room for them
   */
  take(modules: readonly LoraModule[], weights: RuntimeWeights): TakenAdapter {
    if (!hasOwnMemory(this.#device) || !areArrays(weights)) {
      return { weights, release: () => undefined };
    }
    const kept = this.#kept.get(weights) ?? {
      copies: stateOfAdapter({ modules, weights }, () => this.#device),
      users: 0,
    };
    kept.users++;
    this.#kept.delete(weights);
    this.#kept.set(weights, kept);
    this.#dropUnused();
    let isTaken = true;
    return {
      weights: kept.copies,
      release: () => {
        if (isTaken) kept.users--;
        isTaken = false;
        this.#dropUnused();
      },
    };
  }

  /** Frees the memory; calling it again does nothing. */
  release(): void {
    for (const weights of [...this.#kept.keys()]) this.#drop(weights);
  }

  /** Those that were used longest ago, as far as there are more than are kept. */
  #dropUnused(): void {
    for (const [weights, { users }] of [...this.#kept]) {
      if (this.#kept.size > KEPT_ADAPTERS && users === 0) this.#drop(weights);
    }
  }

  #drop(weights: RuntimeWeights): void {
    for (const tensor of this.#kept.get(weights)!.copies.values()) tensor.release();
    this.#kept.delete(weights);
  }
}

function areArrays(weights: RuntimeWeights): weights is ReadonlyMap<string, Float32Array> {
  return [...weights.values()].every((values) => !(values instanceof StateTensor));
}
