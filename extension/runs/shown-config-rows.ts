import type { RunConfig } from '../../server/protocol/runs.ts';
import { withRelativePaths } from '../show/relative-paths.ts';
import { type ConfigRow, configRows } from './config-differences.ts';

/** {@link configRows} for people, who know their files by where they are in the workspace. */
export function shownConfigRows(configs: readonly RunConfig[]): readonly ConfigRow[] {
  return configRows(configs).map(({ key, values }) => ({
    key,
    values: values.map((value) => value && withRelativePaths(value)),
  }));
}
