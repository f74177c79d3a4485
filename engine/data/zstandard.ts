import { Decompress } from 'fzstd';

/** The head of a frame, as the library keeps it. */
interface Frame {
  /** The last bytes that were unpacked, those that it may refer back to, and how many these are. */
  w: Uint8Array;
  e: number;
}

/** Bytes that a frame remembers at first: as many as a block has at most. */
const FIRST_WINDOW = 2 ** 17;

/** What is whole, and more than anybody asks for. */
class TooLarge extends Error {}

/**
 * Unpacks Zstandard, of one frame or several, and takes no more memory for it than is allowed: the library
 * believes a frame that wants 2 GiB. Checksums are not verified.
 */
export class ZstandardUnpacker {
  readonly #decompress: Decompress;
  readonly #maxWindow: number;
  #frame: Frame | number | undefined;
  /** What the frame may refer back to, however little of that there is yet; and what was unpacked of it. */
  #window = 0;
  #done = 0;

  /**
   * @param onData gets what is unpacked, a block of at most 128 KiB at a time
   * @param maxWindow bytes that a frame may refer back to
   */
  constructor(onData: (bytes: Uint8Array) => void, maxWindow: number) {
    this.#maxWindow = maxWindow;
    this.#decompress = new Decompress((bytes) => {
      if (bytes.length === 0) return;
      this.#remember(bytes.length);
      onData(bytes);
    });
    // Where it keeps the head of the frame, or what is left to skip, before it unpacks any of it.
    Object.defineProperty(this.#decompress, 's', {
      get: () => this.#frame,
      set: (frame: Frame | number) => {
        if (typeof frame === 'object') this.#begin(frame);
        this.#frame = frame;
      },
    });
  }

  #begin(frame: Frame): void {
    if (frame.e > this.#maxWindow) {
      throw new TooLarge(`it refers back by more than ${this.#maxWindow / 2 ** 20} MiB`);
    }
    [this.#window, this.#done] = [frame.e, 0];
    frame.e = Math.min(frame.e, FIRST_WINDOW);
    frame.w = new Uint8Array(frame.e);
  }

  /** Makes room for a block: the library would take the whole window at once, for a frame of a few bytes too. */
  #remember(length: number): void {
    const frame = this.#frame;
    this.#done += length;
    if (typeof frame !== 'object' || frame.e >= Math.min(this.#window, this.#done)) return;
    const before = frame.w;
    frame.e = Math.min(this.#window, Math.max(2 * frame.e, this.#done));
    frame.w = new Uint8Array(frame.e);
    frame.w.set(before, frame.e - before.length);
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
