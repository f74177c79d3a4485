import {
  type FoundAdapter,
  type FoundModel,
  listAdapters,
  listModels,
} from '../../server/protocol/models.ts';
import type { ServerLink } from '../server-link.ts';
import { baseModelOf } from './base-model-of.ts';
import { modelFolders } from './model-folders.ts';

/** What can write on this machine. */
export interface ModelCatalog {
  /** Base models that can be used. */
  readonly models: readonly FoundModel[];
  /** Adapters and checkpoints, the newest first. */
  readonly adapters: readonly UsableAdapter[];
}

/** An adapter with the base model that it works on. */
export interface UsableAdapter extends FoundAdapter {
  /** Path of the base model; null where nobody knows it. */
  readonly model: string | null;
}

/**
 * Looks for models and adapters. Starts the server if need be.
 *
 * @param known base models that are not looked for again
 * @throws the server's error answer
 */
export async function readCatalog(
  server: ServerLink,
  known?: readonly FoundModel[],
): Promise<ModelCatalog> {
  const [models, adapters] = await Promise.all([
    known ?? usableModels(server),
    server.ask(listAdapters, {}),
  ]);
  return {
    models,
    adapters: adapters.map((adapter) => ({
      ...adapter,
      model: baseModelOf(adapter, models) ?? null,
    })),
  };
}

async function usableModels(server: ServerLink): Promise<readonly FoundModel[]> {
  const found = await server.ask(listModels, { folders: modelFolders() });
  return found.filter(({ problem }) => problem === null);
}
