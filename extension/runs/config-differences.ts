import type { RunConfig } from '../../server/protocol/runs.ts';

/** A key of the configuration, and what it holds in each of some runs. */
export interface ConfigRow {
  /** E.g. `training.learning_rate`. */
  readonly key: string;
  /** As JSON, in the order of the runs; null where a run does not set the key. */
  readonly values: readonly (string | null)[];
}

/** All keys that some of the configurations set, in the order of the first that has them. */
export function configRows(configs: readonly RunConfig[]): readonly ConfigRow[] {
  const flat = configs.map((config) => new Map(leaves(config ?? {}, '')));
  const keys = new Set(flat.flatMap((values) => [...values.keys()]));
  return [...keys].map((key) => ({ key, values: flat.map((values) => values.get(key) ?? null) }));
}

/** Whether the runs do not agree about a key. */
export function isDifferent({ values }: ConfigRow): boolean {
  return values.some((value) => value !== values[0]);
}

/** Everything that is not an object, with its path; lists count as one value. */
function* leaves(value: unknown, key: string): Generator<[string, string]> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    yield [key, JSON.stringify(value)];
    return;
  }
  for (const [name, child] of Object.entries(value)) {
    yield* leaves(child, key === '' ? name : `${key}.${name}`);
  }
}
