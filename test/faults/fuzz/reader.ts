/** What the inputs of a reader are changed as, besides bytes. */
export type InputKind = 'bytes' | 'json' | 'json-lines';

/** A reader ready to be given inputs. */
export interface PreparedReader {
  /** Where the input is written before each reading. */
  readonly file: string;
  /** Inputs that it understands. */
  readonly seeds: readonly Uint8Array[];
  /**
   * Reads the input as far as the product does. Whatever it holds, this ends in a value or a
   * LorafaError.
   */
  read(): Promise<void>;
}

/** Something that reads files of others. */
export interface FuzzedReader {
  readonly name: string;
  readonly kind: InputKind;
  /** Seconds of a processor that an input may take, where a library is ended only after a while. */
  readonly cpuSeconds?: number;
  /** Makes, in an empty folder, what lies around the input. */
  prepare(folder: string): Promise<PreparedReader>;
}
