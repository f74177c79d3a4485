import { createHash } from 'node:crypto';
import { IssueCollector, type IssueList } from './report.ts';
import type { RowPlace } from './row.ts';
import type { TokenizedExample } from './tokenized-example.ts';

/** Rows that are remembered: some fifty megabytes. */
const MAX_ROWS = 2 ** 20;

/** Above any line number, and so many files apart that both fit into a number. */
const LINES = 2 ** 32;

/**
 * Finds rows that are the same to the model: the same tokens, of which the same are learned. Of each
 * row that is remembered only a digest is kept, and its place.
 */
export class SeenRows {
  readonly #files: string[] = [];
  readonly #places = new Map<number, number>();

  /**
   * Remembers a row, unless it knows one that is the same.
   *
   * @returns where that one stands; undefined for a new row
   */
  add(example: TokenizedExample): RowPlace | undefined {
    const digest = digestOf(example);
    const known = this.#placeOf(digest);
    if (known === undefined && this.#places.size < MAX_ROWS) {
      const { file, line } = example;
      if (this.#files.at(-1) !== file) this.#files.push(file);
      this.#places.set(digest, (this.#files.length - 1) * LINES + line);
    }
    return known;
  }

  /** Where a row stands that is the same; undefined where none is known. */
  find(example: TokenizedExample): RowPlace | undefined {
    return this.#placeOf(digestOf(example));
  }

  #placeOf(digest: number): RowPlace | undefined {
    const place = this.#places.get(digest);
    if (place === undefined) return undefined;
    return { file: this.#files[Math.floor(place / LINES)]!, line: place % LINES };
  }
}

/** Rows that are held out, and learned all the same: their loss says nothing about other rows. */
export function sharedRows(
  train: Iterable<TokenizedExample>,
  evaluation: Iterable<TokenizedExample>,
): IssueList {
  const shared = new IssueCollector();
  const seen = new SeenRows();
  for (const example of train) seen.add(example);
  for (const example of evaluation) {
    const learned = seen.find(example);
    if (learned !== undefined)
      shared.add(example, `the row is also learned ${at(learned, example)}`);
  }
  return shared;
}

/** Where another row stands, seen from a row: a line of its own file, or of another one. */
export function at({ file, line }: RowPlace, from: RowPlace): string {
  return file === from.file ? `in line ${line}` : `from ${file}:${line}`;
}

/** As many bits as a number holds exactly: among a million rows, no two are mixed up. */
function digestOf({ inputIds, supervised }: TokenizedExample): number {
  const bytes = createHash('sha1').update(inputIds).update(supervised).digest();
  return bytes.readUIntBE(0, 6) * 16 + (bytes[6]! >> 4);
}
