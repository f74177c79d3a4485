import type { Pointer } from './c-api.ts';
import { check, create, ort } from './onnx-runtime.ts';
import { pointersAt, textAt } from './own-memory.ts';

/** The session option that has ONNX Runtime remember what {@link opsOnCpu} asks for. */
export const RECORD_PLACEMENT = 'session.record_ep_graph_assignment_info';

const CPU_PROVIDER = 'CPUExecutionProvider';

/**
 * The ONNX ops of the nodes of a loaded graph that the CPU computes.
 *
 * @param session that was made with {@link RECORD_PLACEMENT}
 */
export function opsOnCpu(session: Pointer): readonly string[] {
  const parts = list((out, count) => ort.Session_GetEpGraphAssignmentInfo(session, out, count));
  return parts.flatMap((part) => {
    const provider = textAt(create((out) => ort.EpAssignedSubgraph_GetEpName(part, out)));
    if (provider !== CPU_PROVIDER) return [];
    const nodes = list((out, count) => ort.EpAssignedSubgraph_GetNodes(part, out, count));
    return nodes.map((node) =>
      textAt(create((out) => ort.EpAssignedNode_GetOperatorType(node, out))),
    );
  });
}

function list(
  call: (out: BigUint64Array, count: BigUint64Array) => Pointer | null,
): readonly Pointer[] {
  const [out, count] = [new BigUint64Array(1), new BigUint64Array(1)];
  check(call(out, count));
  return pointersAt(out[0]!, Number(count[0]));
}
