/** How many files or folders are looked at at the same time. */
const AT_ONCE = 8;

/** The results of an action on each item, in their order, with a few of the actions under way at a time. */
export async function mapBounded<T, R>(
  items: readonly T[],
  action: (item: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  const remaining = items.entries();
  const work = async (): Promise<void> => {
    for (const [index, item] of remaining) results[index] = await action(item);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return results;
}
