import type { Random } from '../../../engine/random.ts';
import { NUMBERS, TOKENS } from './interesting.ts';

/** No mutated input is longer. */
export const MAX_INPUT_BYTES = 2 ** 20;

/** What is repeated makes no input longer: each of very many bad rows takes its forty microseconds. */
const MAX_REPEATED_BYTES = 2 ** 16;

type Mutation = (bytes: Buffer, random: Random, others: readonly Buffer[]) => Buffer;

/** A place in the bytes, the end among them. */
function place(bytes: Buffer, random: Random): number {
  return random.below(bytes.length + 1);
}

/** A piece of the bytes; small ones are likelier. */
function piece(bytes: Buffer, random: Random): { readonly start: number; readonly end: number } {
  const start = place(bytes, random);
  const most = [4, 32, 512, bytes.length][random.below(4)]!;
  return { start, end: Math.min(bytes.length, start + 1 + random.below(Math.max(1, most))) };
}

function insert(bytes: Buffer, at: number, inserted: Buffer): Buffer {
  return Buffer.concat([bytes.subarray(0, at), inserted, bytes.subarray(at)]);
}

const MUTATIONS: readonly Mutation[] = [
  function flipBits(bytes, random) {
    const copy = Buffer.from(bytes);
    for (let left = 1 + random.below(4); left > 0 && copy.length > 0; left--) {
      copy[random.below(copy.length)]! ^= 1 << random.below(8);
    }
    return copy;
  },
  function setByte(bytes, random) {
    const copy = Buffer.from(bytes);
    if (copy.length > 0)
      copy[random.below(copy.length)] = [0, 1, 0x7f, 0x80, 0xff][random.below(5)]!;
    return copy;
  },
  function setNumber(bytes, random) {
    const width = [2, 4, 8][random.below(3)]!;
    if (bytes.length < width) return bytes;
    const copy = Buffer.from(bytes);
    const at = random.below(bytes.length - width + 1);
    const number = Buffer.alloc(8);
    number.writeBigInt64LE(BigInt.asIntN(64, NUMBERS[random.below(NUMBERS.length)]!));
    copy.set(number.subarray(0, width), at);
    return copy;
  },
  function truncate(bytes, random) {
    return bytes.subarray(0, place(bytes, random));
  },
  function remove(bytes, random) {
    const { start, end } = piece(bytes, random);
    return Buffer.concat([bytes.subarray(0, start), bytes.subarray(end)]);
  },
  function repeat(bytes, random) {
    const { start, end } = piece(bytes, random);
    const times = [1, 2, 10, 1000][random.below(4)]!;
    const room = Math.floor((MAX_REPEATED_BYTES - bytes.length) / Math.max(1, end - start));
    const length = Math.max(0, Math.min(times, room));
    const copies = Array.from({ length }, () => bytes.subarray(start, end));
    return insert(bytes, end, Buffer.concat(copies));
  },
  function insertToken(bytes, random) {
    const token = Buffer.from(TOKENS[random.below(TOKENS.length)]!);
    return insert(bytes, place(bytes, random), token);
  },
  function insertNoise(bytes, random) {
    const noise = Buffer.from(
      Array.from({ length: 1 + random.below(16) }, () => random.below(256)),
    );
    return insert(bytes, place(bytes, random), noise);
  },
  function move(bytes, random) {
    const { start, end } = piece(bytes, random);
    const moved = bytes.subarray(start, end);
    const rest = Buffer.concat([bytes.subarray(0, start), bytes.subarray(end)]);
    return insert(rest, place(rest, random), moved);
  },
  function splice(bytes, random, others) {
    const other = others[random.below(others.length)]!;
    const head = bytes.subarray(0, place(bytes, random));
    return Buffer.concat([head, other.subarray(place(other, random))]);
  },
];

/** Changes the bytes of an input in one way. @param others inputs to take pieces from */
export function mutateBytes(bytes: Buffer, random: Random, others: readonly Buffer[]): Buffer {
  const mutated = MUTATIONS[random.below(MUTATIONS.length)]!(bytes, random, others);
  return mutated.subarray(0, MAX_INPUT_BYTES);
}
