import type { Pointer } from './c-api.ts';
import type { CudaMemory } from './cuda-memory.ts';
import { DeviceCopies } from './device-copies.ts';
import { check, create, ort } from './onnx-runtime.ts';

/** ONNX Runtime's name of the CUDA graph that a run captures or replays. */
const GRAPH_ID = 'gpu_graph_id';

/** The id of a run that does neither. */
const PLAIN = -1;

/**
 * The CUDA graphs of a session. A graph is the launches of one run with the addresses that they had, so that
 * each set of tensors has its own; a run over other tensors is computed plainly.
 */
export class CapturedRuns {
  /** What stands for arrays of the host. */
  readonly copies: DeviceCopies;
  readonly #memory: CudaMemory;
  readonly #plain: Pointer;
  /** What ONNX Runtime is told at a run, by the addresses of its tensors. */
  readonly #graphs = new Map<string, Pointer>();

  constructor(memory: CudaMemory) {
    this.#memory = memory;
    this.copies = new DeviceCopies(memory);
    this.#plain = runOptions(PLAIN);
  }

  /** For a run over tensors of the device. */
  optionsFor(tensors: readonly Pointer[]): Pointer {
    return this.#graphs.get(this.#addressesOf(tensors)) ?? this.#plain;
  }

  /** The same, for one that is captured unless these tensors have a graph already. */
  optionsToCapture(tensors: readonly Pointer[]): Pointer {
    const addresses = this.#addressesOf(tensors);
    const options = this.#graphs.get(addresses) ?? runOptions(this.#graphs.size);
    this.#graphs.set(addresses, options);
    return options;
  }

  /** To be called when the session is gone. */
  release(): void {
    for (const options of [this.#plain, ...this.#graphs.values()]) ort.ReleaseRunOptions(options);
    this.#graphs.clear();
    this.copies.release();
  }

  #addressesOf(tensors: readonly Pointer[]): string {
    return tensors.map((tensor) => this.#memory.addressOf(tensor)).join(' ');
  }
}

function runOptions(graph: number): Pointer {
  const options = create((out) => ort.CreateRunOptions(out));
  check(ort.AddRunConfigEntry(options, GRAPH_ID, String(graph)));
  return options;
}
