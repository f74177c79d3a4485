import { closeSync, fstatSync, openSync } from 'node:fs';
import { LorafaError, messageOf } from '../errors.ts';
import type { Pointer } from './c-api.ts';
import { type MappedFile, mapFile } from './map-file.ts';

/** A mapping that somebody uses. */
interface Mapping {
  /** Undefined where the system does not map the file. */
  readonly mapped: MappedFile | undefined;
  users: number;
}

/**
 * All mappings of the process by what the system knows a file by: one that was put in a file's place
 * is another.
 */
const mappings = new Map<string, Mapping>();

/**
 * A use of a file that is in memory once, however many use it: it is mapped by the first and goes
 * with the last. What is mapped is the file itself, read when it is looked at; one that is removed or
 * replaced meanwhile stays what it was. One that is made shorter in its place ends the process
 * that looks at what is gone (SIGBUS; Windows does not allow it), which is why none that must answer does.
 */
export class SharedFile {
  readonly #file: string;
  readonly #bytes: number;
  /** What the system knows it by. */
  readonly key: string;
  #mapping: Mapping | undefined;

  private constructor(file: string, bytes: number, key: string, mapping: Mapping) {
    this.#file = file;
    this.#bytes = bytes;
    this.key = key;
    this.#mapping = mapping;
    mapping.users++;
    mappings.set(key, mapping);
  }

  /** Throws LorafaError `model.not_found` when there is no file. */
  static open(file: string): SharedFile {
    const descriptor = openFile(file);
    try {
      const { dev, ino, size, mtimeNs } = fstatSync(descriptor, { bigint: true });
      const bytes = Number(size);
      const key = [dev, ino, size, mtimeNs].join(' ');
      const mapping = mappings.get(key) ?? { mapped: mapFile(file, descriptor, bytes), users: 0 };
      return new SharedFile(file, bytes, key, mapping);
    } finally {
      closeSync(descriptor);
    }
  }

  /**
   * The address of a region; undefined where the system does not map the file.
   *
   * @throws LorafaError `model.corrupt` when the file ends before the region does, `internal.graph`
   * after the release
   */
  at(offset: number, bytes: number): Pointer | undefined {
    if (this.#mapping === undefined) {
      throw new LorafaError('internal.graph', `${this.#file} was used after its release`);
    }
    const end = offset + bytes;
    if (offset < 0 || end > this.#bytes) {
      throw new LorafaError(
        'model.corrupt',
        `${this.#file} has ${this.#bytes} bytes where a weight ends at byte ${end}: it was changed after it had been opened, or is damaged; download the model again.`,
        { location: { file: this.#file, offset } },
      );
    }
    const { mapped } = this.#mapping;
    return mapped && mapped.address + BigInt(offset);
  }

  /** The memory must not be looked at any more; calling it again does nothing. */
  release(): void {
    const mapping = this.#mapping;
    this.#mapping = undefined;
    if (mapping === undefined) return;
    mapping.users--;
    if (mapping.users > 0) return;
    mappings.delete(this.key);
    mapping.mapped?.unmap();
  }
}

function openFile(file: string): number {
  try {
    return openSync(file, 'r');
  } catch (error) {
    throw new LorafaError(
      'model.not_found',
      `The weights ${file} cannot be opened any more (${messageOf(error)}); put the file back, or give another model.`,
      { location: { file }, cause: error },
    );
  }
}
