import { bfloat16ToFloat32, float16ToFloat32, float16ToNumber } from '../formats/float16.ts';
import { BLOCK_LAYOUTS, type GgmlType } from './gguf.ts';

/*
 * GGML's block formats to float32. Every product is rounded to float32 where the reference
 * (ggml-quants.c and the Python package `gguf`) rounds it, so the results are the same bit for bit.
 * The layouts are those of the structs in ggml-common.h.
 */

/** Writes the values of one block, whose bytes start at `at`, to `target` from `to` on. */
type BlockDecoder = (bytes: Uint8Array, at: number, target: Float32Array, to: number) => void;

const { fround } = Math;

/**
 * Dequantizes whole blocks.
 *
 * @param bytes Blocks of the given type; F32, F16 and BF16 must start their buffer.
 * @param target Room for all values, row-major as the blocks are.
 */
export function dequantize(
  type: GgmlType,
  bytes: Uint8Array<ArrayBuffer>,
  target: Float32Array,
): void {
  switch (type) {
    case 'F32':
      target.set(new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4));
      return;
    case 'F16':
      float16ToFloat32(halves(bytes), target);
      return;
    case 'BF16':
      bfloat16ToFloat32(halves(bytes), target);
      return;
    default: {
      const decode = DECODERS[type];
      const layout = BLOCK_LAYOUTS[type];
      for (let at = 0, to = 0; at < bytes.length; at += layout.bytes, to += layout.elements) {
        decode(bytes, at, target, to);
      }
    }
  }
}

function halves(bytes: Uint8Array<ArrayBuffer>): Uint16Array {
  return new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 2);
}

function float16At(bytes: Uint8Array, at: number): number {
  return float16ToNumber(bytes[at]! | (bytes[at + 1]! << 8));
}

/** d, 16 bytes of nibbles: the low ones are values 0 to 15, the high ones 16 to 31. */
const decodeQ4_0: BlockDecoder = (bytes, at, target, to) => {
  const d = float16At(bytes, at);
  for (let i = 0; i < 16; i++) {
    const pair = bytes[at + 2 + i]!;
    target[to + i] = d * ((pair & 15) - 8);
    target[to + 16 + i] = d * ((pair >> 4) - 8);
  }
};

/** d, m, nibbles as in Q4_0. */
const decodeQ4_1: BlockDecoder = (bytes, at, target, to) => {
  const d = float16At(bytes, at);
  const m = float16At(bytes, at + 2);
  for (let i = 0; i < 16; i++) {
    const pair = bytes[at + 4 + i]!;
    target[to + i] = fround(d * (pair & 15)) + m;
    target[to + 16 + i] = fround(d * (pair >> 4)) + m;
  }
};

/** d, 4 bytes of fifth bits (bit i belongs to value i), nibbles as in Q4_0. */
const decodeQ5_0: BlockDecoder = (bytes, at, target, to) => {
  const d = float16At(bytes, at);
  for (let i = 0; i < 16; i++) {
    const pair = bytes[at + 6 + i]!;
    target[to + i] = d * (((pair & 15) | fifthBit(bytes, at + 2, i)) - 16);
    target[to + 16 + i] = d * (((pair >> 4) | fifthBit(bytes, at + 2, 16 + i)) - 16);
  }
};

/** d, m, then as Q5_0. */
const decodeQ5_1: BlockDecoder = (bytes, at, target, to) => {
  const d = float16At(bytes, at);
  const m = float16At(bytes, at + 2);
  for (let i = 0; i < 16; i++) {
    const pair = bytes[at + 8 + i]!;
    target[to + i] = fround(d * ((pair & 15) | fifthBit(bytes, at + 4, i))) + m;
    target[to + 16 + i] = fround(d * ((pair >> 4) | fifthBit(bytes, at + 4, 16 + i))) + m;
  }
};

function fifthBit(bytes: Uint8Array, at: number, index: number): number {
  return ((bytes[at + (index >> 3)]! >> (index & 7)) & 1) << 4;
}

/** d, 32 signed bytes. */
const decodeQ8_0: BlockDecoder = (bytes, at, target, to) => {
  const d = float16At(bytes, at);
  for (let i = 0; i < 32; i++) target[to + i] = d * signed(bytes[at + 2 + i]!);
};

function signed(byte: number): number {
  return (byte << 24) >> 24;
}

/** d, dmin, 12 bytes of 6-bit scales and minima, 128 bytes of nibbles. */
const decodeQ4_K: BlockDecoder = (bytes, at, target, to) => {
  for (let group = 0; group < 8; group++) {
    const [scale, minimum] = scaleAndMinimum(bytes, at, group);
    const shift = (group & 1) * 4;
    const nibbles = at + 16 + (group >> 1) * 32;
    for (let i = 0; i < 32; i++) {
      const q = (bytes[nibbles + i]! >> shift) & 15;
      target[to + group * 32 + i] = fround(scale * q) - minimum;
    }
  }
};

/** As Q4_K with 32 bytes of fifth bits (bit g of byte i belongs to group g) before the nibbles. */
const decodeQ5_K: BlockDecoder = (bytes, at, target, to) => {
  for (let group = 0; group < 8; group++) {
    const [scale, minimum] = scaleAndMinimum(bytes, at, group);
    const shift = (group & 1) * 4;
    const nibbles = at + 48 + (group >> 1) * 32;
    for (let i = 0; i < 32; i++) {
      const fifth = ((bytes[at + 16 + i]! >> group) & 1) << 4;
      const q = ((bytes[nibbles + i]! >> shift) & 15) | fifth;
      target[to + group * 32 + i] = fround(scale * q) - minimum;
    }
  }
};

/**
 * Scale and minimum of one of the 8 groups of a K block. The 12 bytes after d and dmin hold the
 * groups 0 to 3 in their low 6 bits (4 scales, then 4 minima); groups 4 to 7 take nibbles of the
 * last 4 bytes and the 2 bits that are left over in the first 8.
 */
function scaleAndMinimum(bytes: Uint8Array, at: number, group: number): [number, number] {
  const packed = at + 4;
  const index = group & 3;
  const low = bytes[packed + index]!;
  const high = bytes[packed + 4 + index]!;
  const rest = bytes[packed + 8 + index]!;
  const scale = group < 4 ? low & 63 : (rest & 15) | ((low >> 2) & 48);
  const minimum = group < 4 ? high & 63 : (rest >> 4) | ((high >> 2) & 48);
  const d = float16At(bytes, at);
  const dmin = float16At(bytes, at + 2);
  return [fround(d * scale), fround(dmin * minimum)];
}

/**
 * 128 bytes of low nibbles, 64 bytes of high bit pairs, 16 signed scales, d. Each half of 128
 * values takes 64 + 32 bytes of them; in it the values lie in 4 runs of 32.
 */
const decodeQ6_K: BlockDecoder = (bytes, at, target, to) => {
  const d = float16At(bytes, at + 208);
  for (let index = 0; index < 256; index++) {
    const half = index >> 7;
    const run = (index >> 5) & 3;
    const i = index & 31;
    const low = (bytes[at + half * 64 + (run & 1) * 32 + i]! >> ((run >> 1) * 4)) & 15;
    const high = (bytes[at + 128 + half * 32 + i]! >> (run * 2)) & 3;
    const scale = signed(bytes[at + 192 + (index >> 4)]!);
    target[to + index] = fround(d * scale) * ((low | (high << 4)) - 32);
  }
};

const DECODERS: Readonly<Record<Exclude<GgmlType, 'F32' | 'F16' | 'BF16'>, BlockDecoder>> = {
  Q4_0: decodeQ4_0,
  Q4_1: decodeQ4_1,
  Q5_0: decodeQ5_0,
  Q5_1: decodeQ5_1,
  Q8_0: decodeQ8_0,
  Q4_K: decodeQ4_K,
  Q5_K: decodeQ5_K,
  Q6_K: decodeQ6_K,
};
