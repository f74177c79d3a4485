import { Random } from '../../../engine/random.ts';
import { MAX_INPUT_BYTES, mutateBytes } from './mutate-bytes.ts';
import { mutateJson } from './mutate-json.ts';
import type { InputKind } from './reader.ts';

/** The input of an index: the same seeds and numbers give the same bytes. */
export function makeInput(
  seeds: readonly Uint8Array[],
  kind: InputKind,
  seed: number,
  index: number,
): Buffer {
  const random = new Random(seed, index);
  const others = seeds.map((bytes) => Buffer.from(bytes));
  let input: Buffer = others[random.below(others.length)]!;
  // Changes of structure first: afterwards the input may be no JSON any more.
  if (kind !== 'bytes' && random.below(3) > 0) {
    input = kind === 'json' ? mutateWhole(input, random) : mutateLine(input, random);
    if (random.below(4) > 0) return input;
  }
  for (let left = 1 + random.below(4); left > 0; left--) {
    input = mutateBytes(input, random, others);
  }
  return input;
}

function mutateWhole(input: Buffer, random: Random): Buffer {
  return Buffer.from(mutateJson(input.toString(), random)).subarray(0, MAX_INPUT_BYTES);
}

function mutateLine(input: Buffer, random: Random): Buffer {
  const lines = input.toString().split('\n');
  const at = random.below(lines.length);
  if (lines[at] !== '') lines[at] = mutateJson(lines[at]!, random);
  return Buffer.from(lines.join('\n')).subarray(0, MAX_INPUT_BYTES);
}
