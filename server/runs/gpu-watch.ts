import { type NvidiaGpu, nvidiaGpus } from '../../engine/runtime/nvidia-smi.ts';
import { gpuIndex } from '../gpu-index.ts';
import type { RunSummary } from '../protocol/runs.ts';

/** Milliseconds between two looks. */
const LOOK_MS = 2000;

/** The same where there was no answer: who does not answer is not asked all the time. */
const LOOK_AGAIN_MS = 10_000;

/** Looks at NVIDIA's GPUs while runs compute on one of which they tell the number, and at no other time. */
export class GpuWatch {
  readonly #tell: (gpus: readonly NvidiaGpu[] | null) => void;
  /** Folders of these runs. */
  readonly #runs = new Set<string>();
  #timer: NodeJS.Timeout | undefined;

  /**
   * @param tell told what the GPUs do, again and again; null when they could not be looked at, and of none once no run
   * computes on one
   */
  constructor(tell: (gpus: readonly NvidiaGpu[] | null) => void) {
    this.#tell = tell;
  }

  /** Takes note of where a run stands. */
  heed({ folder, isLive, status: { device } }: RunSummary): void {
    if (isLive && device !== null && gpuIndex(device) !== undefined) {
      this.#runs.add(folder);
      this.#timer ??= this.#lookIn(0);
    } else {
      this.forget(folder);
    }
  }

  /** Of a run that is over, or gone. */
  forget(folder: string): void {
    if (this.#runs.delete(folder) && this.#runs.size === 0) this.#tell([]);
  }

  async #look(): Promise<void> {
    const gpus = await nvidiaGpus();
    this.#timer = undefined;
    if (this.#runs.size === 0) return;
    this.#tell(gpus ?? null);
    this.#timer = this.#lookIn(gpus === undefined ? LOOK_AGAIN_MS : LOOK_MS);
  }

  /** Keeps no process alive. */
  #lookIn(milliseconds: number): NodeJS.Timeout {
    return setTimeout(() => void this.#look(), milliseconds).unref();
  }
}
