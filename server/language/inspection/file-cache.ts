import { stat } from 'node:fs/promises';

/**
 * Remembers what was made from files until one of them changes. Failures are remembered too: a
 * damaged file is not read again at every key stroke.
 */
export class FileCache<Value> {
  readonly #size: number;
  /** The entries that were used longest ago come first. */
  readonly #entries = new Map<string, { readonly state: string; readonly value: Promise<Value> }>();

  /** @param size how many values are kept */
  constructor(size: number) {
    this.#size = size;
  }

  /**
   * The value for a key, made anew when a file differs from what it was.
   *
   * @param files those that the value is made from, existing or not
   */
  async get(key: string, files: readonly string[], make: () => Promise<Value>): Promise<Value> {
    const state = (await Promise.all(files.map(fileState))).join('\n');
    const known = this.#entries.get(key);
    const entry = known?.state === state ? known : { state, value: make() };
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= this.#size) break;
      this.#entries.delete(oldest);
    }
    return entry.value;
  }
}

/** Changes whenever the content of a file or the names in a folder do. */
async function fileState(file: string): Promise<string> {
  try {
    const { mtimeMs, size } = await stat(file);
    return `${mtimeMs} ${size}`;
  } catch {
    return '';
  }
}
