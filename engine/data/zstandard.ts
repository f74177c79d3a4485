import { Decompress } from 'fzstd';

/** The head of a frame, as the library keeps it. */
interface FrameHead {
  /** Bytes that the frame may refer back to. */
  readonly e: number;
}

/** What is whole, and more than anybody asks for. */
class TooLarge extends Error {}

/**
 * Unpacks Zstandard, of one frame or several, and takes no more memory for it than is allowed: the library
 * believes a frame that wants 2 GiB. Checksums are not verified.
 */
export class ZstandardUnpacker {
  readonly #decompress: Decompress;

  /**
   * @param onData gets what is unpacked, a block of at most 128 KiB at a time
   * @param maxWindow bytes that a frame may refer back to
   */
  constructor(onData: (bytes: Uint8Array) => void, maxWindow: number) {
    this.#decompress = new Decompress((bytes) => {
      if (bytes.length > 0) onData(bytes);
    });
    // Where it keeps the head of the frame, or what is left to skip, before it unpacks any of it.
    let head: FrameHead | number | undefined;
    Object.defineProperty(this.#decompress, 's', {
      get: () => head,
      set: (next: FrameHead | number) => {
        if (typeof next === 'object' && next.e > maxWindow) {
          throw new TooLarge(`it refers back by more than ${maxWindow / 2 ** 20} MiB`);
        }
        head = next;
      },
    });
  }

  /** @throws Error for what no Zstandard has, or is cut short; what `onData` throws */
  push(piece: Uint8Array, isLast: boolean): void {
    try {
      this.#decompress.push(piece, isLast);
    } catch (error) {
      if (error instanceof TooLarge) throw error;
      const isShort = error instanceof Error && 'code' in error && error.code === 5;
      throw new Error(isShort ? 'it ends early' : 'it is not what Zstandard writes', {
        cause: error,
      });
    }
  }
}

/** A writer that knows the size makes frames that refer to no more; others refer to so much. */
const USUAL_WINDOW = 2 ** 23;

/**
 * Unpacks bytes whose size is known.
 *
 * @returns how many bytes of `into` were filled
 * @throws Error for what is not Zstandard, or does not fit
 */
export function unpackZstandard(packed: Uint8Array, into: Uint8Array): number {
  let done = 0;
  const unpacker = new ZstandardUnpacker(
    (bytes) => {
      into.set(bytes, done);
      done += bytes.length;
    },
    // In whole MiB, for people.
    Math.max(USUAL_WINDOW, 2 ** 20 * Math.ceil(into.length / 2 ** 20)),
  );
  unpacker.push(packed, true);
  return done;
}
