/** The beginning of a file of weights that is elsewhere, up to its data. */
export interface FileHead {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Bytes of the whole file. */
  readonly size: number;
}
