import type { Graph } from '../../engine/graph/graph.ts';
import { writeOnnx } from '../../engine/onnx/writer.ts';
import { CudaMemory } from '../../engine/runtime/cuda-memory.ts';
import type { Device } from '../../engine/runtime/device.ts';
import { DeviceWeights } from '../../engine/runtime/device-weights.ts';
import { create, environment, ort } from '../../engine/runtime/onnx-runtime.ts';
import { sessionOptions } from '../../engine/runtime/session-options.ts';
import { SharedWeights } from '../../engine/runtime/shared-weights.ts';

/** `ORT_LOGGING_LEVEL_VERBOSE` */
const VERBOSE = 0;

/**
 * Loads a graph once more, with ONNX Runtime telling on stderr where each node is computed; {@link placementIn}
 * reads that.
 */
export async function tellPlacement(graph: Graph, device: Device, folder: string): Promise<void> {
  const shared = SharedWeights.of(graph, folder);
  const weights = await DeviceWeights.on(CudaMemory.of(device), shared.mapped);
  const options = sessionOptions({ device, threads: 1, weightsFolder: folder }, 'no session');
  ort.SetSessionLogSeverityLevel(options, VERBOSE);
  weights.addTo(options);
  const model = writeOnnx(graph);
  const session = create((out) =>
    ort.CreateSessionFromArray(environment, model, model.byteLength, options, out),
  );
  ort.ReleaseSession(session);
  ort.ReleaseSessionOptions(options);
  weights.release();
  shared.release();
}

/** How many nodes of a graph are computed on a CUDA device. */
export interface Placement {
  readonly nodes_on_device: number;
  readonly nodes_total: number;
}

/** What ONNX Runtime told, all of it. */
export function placementIn(log: string): Placement {
  let [onDevice, total] = [0, 0];
  for (const [, provider, count] of log.matchAll(
    /odes?\(?s?\)? placed on \[(\w+)\]\. Number of nodes: (\d+)/g,
  )) {
    total += Number(count);
    if (provider === 'CUDAExecutionProvider') onDevice += Number(count);
  }
  return { nodes_on_device: onDevice, nodes_total: total };
}
