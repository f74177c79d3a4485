/** What nodes of a session share: made for the first of them, gone with the last. */
export class SharedPool {
  readonly #known = new Map<string, { readonly shared: Releasable; users: number }>();

  /** @param key tells apart what is not the same; see {@link keyOf} */
  take<T extends Releasable>(key: string, make: () => T): Shared<T> {
    const known = this.#known.get(key) ?? { shared: make(), users: 0 };
    this.#known.set(key, known);
    known.users++;
    return {
      shared: known.shared as T,
      release: () => {
        known.users--;
        if (known.users > 0) return;
        this.#known.delete(key);
        known.shared.release();
      },
    };
  }
}

export interface Releasable {
  release(): void;
}

/** Somebody's part in what is shared. */
export interface Shared<T> extends Releasable {
  readonly shared: T;
}

/** The key of what is made of these; the first of them says what it is. */
export function keyOf(what: string, ...of: readonly unknown[]): string {
  return JSON.stringify([what, ...of]);
}

export function releaseAll(parts: readonly Releasable[]): void {
  for (const part of parts) part.release();
}
