import type { NvidiaGpu } from '../../engine/runtime/nvidia-smi.ts';

/** Readings that are kept of each GPU: ten minutes, for one is taken every two seconds. */
export const KEPT_READINGS = 300;

/** What a GPU did at a moment; null where its driver does not tell. */
export interface GpuReading
  extends Pick<NvidiaGpu, 'usedBytes' | 'utilization' | 'temperature' | 'power'> {
  /** Seconds since the first one, of which later ones may be left alone. */
  readonly seconds: number;
}

/** What NVIDIA's GPUs did lately, from when a run began to compute on one until none does. */
export class GpuHistory {
  readonly #readings = new Map<number, GpuReading[]>();
  /** When the first reading came, in seconds. */
  #began: number | undefined;

  /**
   * @param gpus what they do now; none once no run computes on one
   * @param now seconds by any clock that never goes back
   */
  add(gpus: readonly NvidiaGpu[], now = performance.now() / 1000): void {
    if (gpus.length === 0) {
      this.#readings.clear();
      this.#began = undefined;
      return;
    }
    this.#began ??= now;
    for (const { index, usedBytes, utilization, temperature, power } of gpus) {
      const seconds = now - this.#began;
      const before = this.#readings.get(index) ?? [];
      const reading = { seconds, usedBytes, utilization, temperature, power };
      this.#readings.set(index, [...before, reading].slice(-KEPT_READINGS));
    }
  }

  /** By ascending time; none of a GPU that was not looked at. */
  of(index: number): readonly GpuReading[] {
    return this.#readings.get(index) ?? [];
  }
}
