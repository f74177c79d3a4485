import type { PartialFile } from '../files/append.ts';

/** A file that is opened when something is to be written, and written to when there is time. */
export class PendingFile {
  readonly #open: () => Promise<PartialFile>;
  #noted: Uint8Array[] = [];
  #file: PartialFile | undefined;

  constructor(open: () => Promise<PartialFile>) {
    this.#open = open;
  }

  note(bytes: Uint8Array): void {
    this.#noted.push(bytes);
  }

  /** Writes what was noted; see `Tracker.write`. */
  async write(isDurable: boolean): Promise<void> {
    this.#file ??= await this.#open();
    const noted = this.#noted;
    this.#noted = [];
    await this.#file.append(Buffer.concat(noted));
    if (isDurable) await this.#file.sync();
  }

  async close(): Promise<void> {
    await this.#file?.close();
  }
}
