/** Puts names into the order in which people count: `run-2` before `run-10`. */
export const byName = new Intl.Collator(undefined, { numeric: true }).compare;
