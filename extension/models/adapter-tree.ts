import path from 'node:path';
import type { FoundAdapter } from '../../server/protocol/models.ts';

/** An adapter with the checkpoints that led to it, or those of a run that has no result yet. */
export interface AdapterBranch<Adapter extends FoundAdapter = FoundAdapter> {
  /** Folder of the adapter, or of the run. */
  readonly folder: string;
  readonly name: string;
  /** Null for a run without a result. */
  readonly adapter: Adapter | null;
  /** Whether another one has the same name, so that only its place tells it apart. */
  readonly hasNamesake: boolean;
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
  const names = [...branches.keys()].map((folder) => path.basename(folder));
  return [...branches].map(([folder, { adapter, checkpoints }]) => {
    const name = path.basename(folder);
    return {
      folder,
      name,
      adapter,
      hasNamesake: names.indexOf(name) !== names.lastIndexOf(name),
      checkpoints: checkpoints.toSorted((a, b) => stepOf(b) - stepOf(a)),
    };
  });
}

/** Who is selected when an adapter or a checkpoint goes: the next one, the one before, or what it stood below. */
export function neighbourOf(tree: readonly AdapterBranch[], folder: string): string | undefined {
  const owner = tree.find(({ checkpoints }) => checkpoints.some(({ path: own }) => own === folder));
  const siblings = owner?.checkpoints.map(({ path: own }) => own) ?? tree.map((row) => row.folder);
  const at = siblings.indexOf(folder);
  return at < 0 ? undefined : (siblings[at + 1] ?? siblings[at - 1] ?? owner?.folder);
}

/** The step of a checkpoint, which it is named after. */
export function stepOf({ path: folder }: FoundAdapter): number {
  return Number(/\d+$/.exec(folder)?.[0] ?? 0);
}
