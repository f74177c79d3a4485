/** What a person wrote for a key, before defaults; undefined where there is nothing. */
export type Given = (section: string, key: string) => unknown;

/** Looks into a configuration as it was written, whatever is wrong with it. */
export function givenIn(value: unknown): Given {
  return (section, key) => member(member(value, section), key);
}

/** The value of a key of anything that may be an object. */
export function member(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? (value as Readonly<Record<string, unknown>>)[key]
    : undefined;
}
