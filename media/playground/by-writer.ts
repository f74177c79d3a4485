import { type FolderMove, movedPath } from '../../extension/folder-move.ts';

/** What is kept for each writer, as a conversation: what one has said is nothing that another one goes on from. */
export class ByWriter<Kept> {
  readonly #make: () => Kept;
  readonly #kept = new Map<string, Kept>();

  /** @param make what a writer has at first */
  constructor(make: () => Kept) {
    this.#make = make;
  }

  /** @param writer see {@link writerId} */
  of(writer: string): Kept {
    const kept = this.#kept.get(writer) ?? this.#make();
    this.#kept.delete(writer);
    this.#kept.set(writer, kept);
    return kept;
  }

  /** What there is of each, of the one who was asked for last at the end. */
  get all(): readonly (readonly [writer: string, kept: Kept])[] {
    return [...this.#kept];
  }

  /** An adapter has another name, and is the same writer; what there is of one that had the name before goes. */
  follow(move: FolderMove): void {
    const all = [...this.#kept].map(
      ([writer, kept]) => [writer, movedWriter(writer, move), kept] as const,
    );
    const taken = new Set(all.filter(([before, now]) => before !== now).map(([, now]) => now));
    this.#kept.clear();
    for (const [before, now, kept] of all) {
      if (before !== now || !taken.has(now)) this.#kept.set(now, kept);
    }
  }
}

/** Tells who writes from others: the base model, alone or with the adapter in a folder. */
export function writerId(model: string, adapter: string | null): string {
  return JSON.stringify([model, adapter]);
}

/** Who it is when an adapter has another name. */
export function movedWriter(writer: string, move: FolderMove): string {
  const [model, adapter] = JSON.parse(writer) as [string, string | null];
  return writerId(model, adapter && movedPath(adapter, move));
}
