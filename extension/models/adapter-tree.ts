import path from 'node:path';
import type { FoundAdapter } from '../../server/protocol/models.ts';

/** An adapter with the checkpoints that led to it, or those of a run that has no result yet. */
export interface AdapterBranch<Adapter extends FoundAdapter = FoundAdapter> {
  /** Folder of the adapter, or of the run. */
  readonly folder: string;
  readonly name: string;
  /** Null for a run without a result. */
  readonly adapter: Adapter | null;
  /** The newest first. */
  readonly checkpoints: readonly Adapter[];
}

/** Puts checkpoints under their adapters, in the order in which the first of each was found. */
export function adapterTree<Adapter extends FoundAdapter>(
  adapters: readonly Adapter[],
): readonly AdapterBranch<Adapter>[] {
  const branches = new Map<string, { adapter: Adapter | null; checkpoints: Adapter[] }>();
  for (const adapter of adapters) {
    const folder = adapter.checkpointOf ?? adapter.path;
    const branch = branches.get(folder) ?? { adapter: null, checkpoints: [] };
    branches.set(folder, branch);
    if (adapter.checkpointOf === null) branch.adapter = adapter;
    else branch.checkpoints.push(adapter);
  }
  return [...branches].map(([folder, { adapter, checkpoints }]) => ({
    folder,
    name: adapter?.name ?? path.basename(folder),
    adapter,
    checkpoints: checkpoints.toSorted((a, b) => stepOf(b) - stepOf(a)),
  }));
}

function stepOf({ path: folder }: FoundAdapter): number {
  return Number(/\d+$/.exec(folder)?.[0] ?? 0);
}
