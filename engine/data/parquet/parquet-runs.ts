import { ThriftReader } from './thrift.ts';

/** Values that a run may have beyond those that are asked for: writers fill up their last one. */
const MAX_SURPLUS = 2 ** 10;

/** Bytes that may lack at the end of the last block, which writers need not fill up. */
const MAX_PADDING = 2 ** 10;

const SHORT = 'its values end early';

/** Told of each run of equal values, single ones counting as runs of one. */
type OnRun = (value: number, length: number) => void;

/**
 * Walks through values in runs and packed bits, and makes sure that they do not go on for ever.
 *
 * @param width bits of a value
 * @param count how many values are asked for
 * @throws Error
 */
export function checkRuns(bytes: Uint8Array, width: number, count: number, onRun?: OnRun): void {
  if (width > 32) throw new Error(`its values have ${width} bits`);
  const reader = new ThriftReader(bytes);
  for (let left = count; left > 0; ) {
    const head = reader.readVarint();
    const isPacked = head % 2 === 1;
    const length = Math.floor(head / 2) * (isPacked ? 8 : 1);
    if (length > left + MAX_SURPLUS || length === 0) throw new Error('it has runs without end');
    const size = isPacked ? (length * width) / 8 : Math.ceil(width / 8);
    const values = bytes.subarray(reader.offset, reader.offset + size);
    // The last bytes of packed bits may be missing.
    if (!isPacked && values.length < size) throw new Error(SHORT);
    const wanted = Math.min(length, left);
    if (onRun !== undefined && isPacked) {
      for (let index = 0; index < wanted; index++) onRun(bitsAt(values, index * width, width), 1);
    } else if (onRun !== undefined) {
      onRun(bitsAt(values, 0, 8 * size), wanted);
    }
    reader.offset += size;
    left -= length;
  }
}

/**
 * Walks through the blocks of delta-encoded numbers.
 *
 * @param onValue told of each number, as one of 32 bits
 * @returns how many bytes they take
 * @throws Error
 */
export function checkDeltas(
  bytes: Uint8Array,
  count: number,
  onValue?: (value: number) => void,
): number {
  const reader = new ThriftReader(bytes);
  const blockSize = reader.readVarint();
  const miniblocks = reader.readVarint();
  reader.readVarint();
  let value = reader.readZigzag(10);
  const perMiniblock = blockSize / miniblocks;
  if (!Number.isInteger(perMiniblock) || perMiniblock === 0 || perMiniblock % 8 !== 0) {
    throw new Error('it has blocks of numbers that cannot be');
  }
  if (count > 0) onValue?.(value | 0);
  for (let left = count - 1; left > 0; ) {
    const least = reader.readZigzag(10);
    const widths = bytes.subarray(reader.offset, reader.offset + miniblocks);
    if (widths.length < miniblocks) throw new Error(SHORT);
    reader.offset += miniblocks;
    for (const width of widths) {
      if (left <= 0) break;
      if (width > 64) throw new Error(`its numbers have ${width} bits`);
      const size = (perMiniblock * width) / 8;
      const packed = bytes.subarray(reader.offset, reader.offset + size);
      if (onValue !== undefined) {
        for (let index = 0; index < Math.min(perMiniblock, left); index++) {
          value = (value + least + bitsAt(packed, index * width, width)) | 0;
          onValue(value);
        }
      }
      reader.offset += size;
      left -= perMiniblock;
    }
    if (reader.offset > bytes.length + MAX_PADDING) throw new Error(SHORT);
  }
  return reader.offset;
}

/** The number of so many bits from a bit on; missing bytes are zeros. */
function bitsAt(bytes: Uint8Array, start: number, width: number): number {
  let value = 0;
  for (let bit = 0; bit < width; bit++) {
    const at = start + bit;
    value += (((bytes[at >> 3] ?? 0) >> (at & 7)) & 1) * 2 ** bit;
  }
  return value;
}
