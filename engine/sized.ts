/**
 * For zod's checks of a length, which ask whatever has a `length` for it: an object of somebody's file
 * may have one that cannot be compared, which would throw.
 */
export const SIZED = {
  abort: false,
  // Known to zod, though not to its types.
  when: ({ value }: { readonly value: unknown }): boolean =>
    typeof value === 'string' || Array.isArray(value),
};
