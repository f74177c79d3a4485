/** The most that reading one input may take: seconds of a processor, bytes beyond its own size. */
export const LIMITS = { cpuSeconds: 1, memory: 64 * 2 ** 20 } as const;

/** What a fuzzing process is to do. */
export interface FuzzJob {
  readonly reader: string;
  readonly seed: number;
  /** The first input and the one after the last. */
  readonly from: number;
  readonly to: number;
  /** A file in which the last input is kept. */
  readonly keep?: string | undefined;
  /** An empty folder to work in. */
  readonly folder: string;
  /** A file for the index of the input that is being read, as eight bytes. */
  readonly progressFile: string;
}

/** What was wrong with the reading of an input. */
export interface FuzzFailure {
  readonly index: number;
  /**
   * `untyped`: something else than a LorafaError was thrown, then or later; `slow`, `memory`: beyond
   * {@link LIMITS}; `hang`, `crash`: the process had to be ended, or ended.
   */
  readonly kind: 'untyped' | 'slow' | 'memory' | 'hang' | 'crash';
  readonly details: string;
}

/** What a fuzzing process says. */
export type FuzzMessage =
  | { readonly type: 'failure'; readonly failure: FuzzFailure }
  | { readonly type: 'done'; readonly report: FuzzReport };

/** What the inputs came to that ended well. */
export interface FuzzReport {
  readonly inputs: number;
  /** Of them, those that were understood and those that were refused. */
  readonly understood: number;
  readonly refused: number;
  /** The most that any took. */
  readonly cpuSeconds: number;
  readonly memory: number;
}
