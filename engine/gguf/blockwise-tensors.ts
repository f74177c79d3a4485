import { BLOCKWISE_NAMES, codeBits, middleCode } from '../formats/blockwise.ts';
import type { TensorToWrite } from '../formats/safetensors-writer.ts';
import { streamTensor } from '../formats/tensor-data.ts';
import { type AffineGroups, type AffineValues, affineValues } from './dequantize/affine-format.ts';
import { BLOCK_FORMATS } from './dequantize/formats.ts';
import type { GgufTensor } from './gguf-part.ts';

/**
 * A matrix in blocks of codes, with the values that the file has but for the rounding of float32; undefined
 * unless its type has scales, and at most offsets, of groups. Codes count from the middle of their levels,
 * so that what is left for the offset is small.
 *
 * @param name of the weight
 * @param rowAt where a row of the file belongs
 */
export function blockwiseTensors(
  tensor: GgufTensor,
  name: string,
  rowAt: (row: number) => number,
): readonly TensorToWrite[] | undefined {
  const { affine } = BLOCK_FORMATS[tensor.type];
  if (affine === undefined || tensor.shape.length !== 2) return undefined;
  const [rows, width] = tensor.shape as readonly [number, number];
  const { group, levels, hasOffsets } = affine;
  const groups = width / group;
  const bytes = (group * codeBits(levels)) / 8;
  const ofGroups = (tensorName: string, numberOf: GroupValue): TensorToWrite => ({
    name: tensorName,
    dtype: 'F32',
    shape: [rows, groups],
    data: async () => {
      const made = new Float32Array(rows * groups);
      for await (const { row, values } of unpackedRows(tensor, affine)) {
        for (let i = 0; i < groups; i++) made[rowAt(row) * groups + i] = numberOf(values, i);
      }
      return made;
    },
  });
  return [
    ofGroups(BLOCKWISE_NAMES.scales(name), ({ scales }, i) => scales[i]!),
    ...(hasOffsets
      ? [
          ofGroups(
            BLOCKWISE_NAMES.offsets(name),
            ({ scales, offsets }, i) => offsets[i]! + scales[i]! * (levels / 2),
          ),
        ]
      : []),
    {
      name,
      dtype: 'U8',
      shape: [rows, groups, bytes],
      data: async () => {
        const made = new Uint8Array(rows * groups * bytes);
        for await (const { row, values } of unpackedRows(tensor, affine)) {
          const at = rowAt(row) * groups * bytes;
          packCodes(values.codes, levels, made.subarray(at, at + groups * bytes));
        }
        return made;
      },
    },
  ];
}

/** A number of a row for the group with an index. */
type GroupValue = (row: AffineValues, index: number) => number;

interface UnpackedRow {
  readonly row: number;
  /** Overwritten by the next one. */
  readonly values: AffineValues;
}

async function* unpackedRows(
  tensor: GgufTensor,
  affine: AffineGroups,
): AsyncGenerator<UnpackedRow> {
  const width = tensor.shape.at(-1)!;
  const { elements, bytes } = BLOCK_FORMATS[tensor.type];
  const rowBytes = (width / elements) * bytes;
  const values = affineValues(affine, width);
  let row = 0;
  for await (const chunk of streamTensor(tensor, rowBytes)) {
    for (let at = 0; at < chunk.byteLength; at += rowBytes, row++) {
      affine.unpack(chunk.subarray(at, at + rowBytes), values);
      yield { row, values };
    }
  }
}

/** Codes around the middle of their bits, those of four two in a byte. */
function packCodes(codes: Uint8Array, levels: number, into: Uint8Array): void {
  const bits = codeBits(levels);
  const shift = middleCode(bits) - levels / 2;
  if (bits === 8) {
    for (let i = 0; i < codes.length; i++) into[i] = codes[i]! + shift;
  } else {
    for (let i = 0; i < into.length; i++) {
      into[i] = (codes[2 * i]! + shift) | ((codes[2 * i + 1]! + shift) << 4);
    }
  }
}
