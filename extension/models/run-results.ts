import type { UsableAdapter } from './model-catalog.ts';

/**
 * The adapter that a folder stands for: the one in it, or that of the newest checkpoint of the run in
 * it, which may have been stopped before its end.
 *
 * @param adapters the newest first
 */
export function adapterOf(
  folder: string,
  adapters: readonly UsableAdapter[],
): UsableAdapter | undefined {
  return (
    adapters.find(({ path }) => path === folder) ??
    adapters.find(({ checkpointOf, problem }) => checkpointOf === folder && problem === null)
  );
}

/** What each run has come to, and adapters from elsewhere: no checkpoints of runs that have more. */
export function resultsAmong(adapters: readonly UsableAdapter[]): readonly UsableAdapter[] {
  return adapters.filter(
    (adapter) =>
      adapter.checkpointOf === null || adapterOf(adapter.checkpointOf, adapters) === adapter,
  );
}
