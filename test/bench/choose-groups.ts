import type { BenchGroup, BenchRow } from './bench-row.ts';
import { hasAllocator } from './peft-program.ts';

/** Which rows are measured, and how often. */
export interface Choice {
  /** Names of rows or groups; `*` stands for anything. All unless given. */
  readonly only?: readonly string[];
  /** Whether rows of PEFT take part. */
  readonly peft?: boolean;
  /** In place of a group's own number. */
  readonly samples?: number;
  /** In place of a row's own number. */
  readonly steps?: number;
}

/** The chosen rows in their groups; groups without any are left out. */
export function chooseGroups(
  groups: readonly BenchGroup[],
  { only, peft = false, samples, steps }: Choice,
): BenchGroup[] {
  const patterns = only?.map(asExpression);
  const isNamed = (name: string): boolean =>
    patterns === undefined || patterns.some((pattern) => pattern.test(name));
  const isPossible = (row: BenchRow): boolean =>
    row.kind === 'engine' || (peft && hasAllocator(row));
  return groups
    .filter(({ byNameAlone }) => byNameAlone === undefined || only !== undefined)
    .map((group) => ({
      ...group,
      samples: samples ?? group.samples,
      rows: group.rows
        .filter((row) => isPossible(row) && (isNamed(group.name) || isNamed(row.name)))
        .map((row) => ({ ...row, steps: steps ?? row.steps })),
    }))
    .filter(({ rows }) => rows.length > 0);
}

/** What matches a name in which `*` stands for anything. */
export function asExpression(name: string): RegExp {
  const parts = name.split('*').map((part) => part.replace(/[^\w-]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`);
}
