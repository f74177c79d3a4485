import path from 'node:path';
import type { FoundAdapter, FoundModel } from '../../server/protocol/models.ts';

/** What of an adapter says which base model it is for. */
export type AdapterOrigin = Pick<FoundAdapter, 'path' | 'baseModel'>;

/**
 * The base model that an adapter was made for: a model on this machine whose path or name its
 * `adapter_config.json` gives, or else the path itself.
 *
 * @returns path of the model; undefined when the adapter does not say, or names a model of the
 * Hugging Face Hub that is not on this machine
 */
export function baseModelOf(
  { path: folder, baseModel }: AdapterOrigin,
  models: readonly FoundModel[],
): string | undefined {
  if (baseModel === null) return undefined;
  // A path of the machine that the adapter was made on, or one that starts at its own folder.
  const location = path.resolve(folder, baseModel);
  const known =
    models.find((model) => model.path === location) ??
    models.find(({ name }) => name === baseModel) ??
    models.find((model) => path.basename(model.path) === lastPart(baseModel));
  if (known !== undefined) return known.path;
  return path.isAbsolute(baseModel) ? baseModel : undefined;
}

/** The last part of a path of any system, or of a name like `organisation/model`. */
function lastPart(name: string): string {
  return name.split(/[\\/]/).findLast((part) => part !== '') ?? name;
}
