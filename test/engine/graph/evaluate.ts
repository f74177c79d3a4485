import type { Graph } from '../../../engine/graph/graph.ts';
import type { Feeds } from '../../../engine/runtime/feeds.ts';
import { Session } from '../../../engine/runtime/session.ts';

/** The outputs of a graph, computed by ONNX Runtime, as plain numbers. */
export async function evaluateGraph(
  graph: Graph,
  feeds: Feeds = {},
): Promise<Record<string, number[]>> {
  const session = await Session.create(graph, { threads: 1 });
  try {
    const results = await session.run(feeds);
    return Object.fromEntries(
      Object.entries(results).map(([name, { data }]) => [name, Array.from(data, Number)]),
    );
  } finally {
    await session.release();
  }
}
