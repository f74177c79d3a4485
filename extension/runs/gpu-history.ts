import type { NvidiaGpu } from '../../engine/runtime/nvidia-smi.ts';

/** Readings that are kept of each GPU: ten minutes, for one is taken every two seconds. */
export const KEPT_READINGS = 300;

/** What a GPU did at a moment; null where its driver does not tell. */
export interface GpuReading
  extends Pick<NvidiaGpu, 'usedBytes' | 'memoryBytes' | 'utilization' | 'temperature' | 'power'> {
  /** Seconds since the first one, of which later ones may be left alone. */
  readonly seconds: number;
}

/** Of a moment at which nobody told of a GPU. */
const NOTHING: Omit<GpuReading, 'seconds'> = {
  usedBytes: null,
  memoryBytes: null,
  utilization: null,
  temperature: null,
  power: null,
};

/** What NVIDIA's GPUs did lately, from when a run began to compute on one until none does. */
export class GpuHistory {
  readonly #readings = new Map<number, GpuReading[]>();
  /** When the first reading came, in seconds. */
  #began: number | undefined;

  /**
   * @param gpus what they do now; null where nobody tells, and none once no run computes on one
   * @param now seconds by any clock that never goes back
   */
  add(gpus: readonly NvidiaGpu[] | null, now = performance.now() / 1000): void {
    if (gpus?.length === 0) {
      this.#readings.clear();
      this.#began = undefined;
      return;
    }
    for (const index of this.#readings.keys()) {
      if (!gpus?.some((gpu) => gpu.index === index)) this.#keep(index, now, NOTHING);
    }
    for (const { index, usedBytes, memoryBytes, utilization, temperature, power } of gpus ?? []) {
      this.#keep(index, now, { usedBytes, memoryBytes, utilization, temperature, power });
    }
  }

  /** By ascending time; none of a GPU that was not looked at. */
  of(index: number): readonly GpuReading[] {
    return this.#readings.get(index) ?? [];
  }

  #keep(index: number, now: number, told: Omit<GpuReading, 'seconds'>): void {
    this.#began ??= now;
    const reading = { seconds: now - this.#began, ...told };
    this.#readings.set(index, [...this.of(index), reading].slice(-KEPT_READINGS));
  }
}
