/**
 * A count as it is shown: one that was inferred from a part of the data says so.
 *
 * @param count with its groups of digits
 * @param about in the user's language, with `{0}` in the place of the count
 */
export function inferredCount(count: string, isInferred: boolean, about = 'about {0}'): string {
  return isInferred ? about.replace('{0}', () => count) : count;
}
