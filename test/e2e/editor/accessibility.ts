import axe, { type AxeResults } from 'axe-core';
import type { Frame } from 'playwright-core';

/** What keeps people from using a page; axe has lesser grades too. */
const GRAVE: readonly unknown[] = ['serious', 'critical'];

/**
 * What axe finds in a page, as far as it is grave: contrast that is too weak, controls without a
 * name, roles that say something wrong. Shadow trees are looked into.
 *
 * @returns a line for each element: the rule, where it is, and what would mend it
 */
export async function accessibilityProblems(frame: Frame): Promise<readonly string[]> {
  await frame.evaluate(axe.source);
  const { violations } = await frame.evaluate<AxeResults>(
    'axe.run({ resultTypes: ["violations"] })',
  );
  return violations
    .filter(({ impact }) => GRAVE.includes(impact))
    .flatMap(({ id, nodes }) =>
      nodes.map(({ target, failureSummary }) => `${id}: ${target.join(' ')}: ${failureSummary}`),
    );
}
