import { nf4Absmax, nf4Blocks, nf4CodeBytes, nf4Codes } from '../formats/nf4.ts';
import { ABSMAX_BLOCK, type QuantizedAbsmax, quantizeAbsmax } from '../formats/nf4-double.ts';
import type { TensorToWrite } from '../formats/safetensors-writer.ts';
import { elementCount } from '../formats/tensor-location.ts';
import { notFiniteWeight, readValues } from './weight-values.ts';

/** How the linear layers of a base model are quantized. */
export interface Nf4Options {
  /** Quantize the blocks' magnitudes as well (bitsandbytes' `bnb_4bit_use_double_quant`). */
  readonly doubleQuant: boolean;
}

/**
 * Names of the tensors beside the codes, which have the name of the weight itself. They are those
 * of a bitsandbytes checkpoint, which keeps the offset elsewhere.
 */
export const NF4_NAMES = {
  /** float32 `[blocks]`, or codes `[blocks / 256, 256]` of double quantization */
  absmax: (weight: string) => `${weight}.absmax`,
  /** float32 `[blocks / 256, 1]`, only of double quantization */
  nestedAbsmax: (weight: string) => `${weight}.nested_absmax`,
  /** float32 `[1]`, only of double quantization */
  nestedOffset: (weight: string) => `${weight}.nested_offset`,
} as const;

/** A weight in NF4: the tensors that its place is taken by. */
export function nf4Weight(weight: TensorToWrite, { doubleQuant }: Nf4Options): TensorToWrite[] {
  return [codesTensor(weight), ...(doubleQuant ? nestedTensors : absmaxTensors)(weight)];
}

function codesTensor(weight: TensorToWrite): TensorToWrite {
  return {
    name: weight.name,
    dtype: 'U8',
    shape: [nf4CodeBytes(elementCount(weight.shape))],
    data: async () => {
      const values = await readValues(weight);
      return nf4Codes(values, nf4Absmax(values));
    },
  };
}

function absmaxTensors(weight: TensorToWrite): TensorToWrite[] {
  return [
    {
      name: NF4_NAMES.absmax(weight.name),
      dtype: 'F32',
      shape: [nf4Blocks(elementCount(weight.shape))],
      data: () => readAbsmax(weight),
    },
  ];
}

function nestedTensors(weight: TensorToWrite): TensorToWrite[] {
  const blocks = Math.ceil(nf4Blocks(elementCount(weight.shape)) / ABSMAX_BLOCK);
  // Wanted three times at distant places of the file; it is small.
  let made: Promise<QuantizedAbsmax> | undefined;
  const quantized = () => {
    made ??= readAbsmax(weight).then(quantizeAbsmax);
    return made;
  };
  return [
    {
      name: NF4_NAMES.absmax(weight.name),
      dtype: 'U8',
      shape: [blocks, ABSMAX_BLOCK],
      data: async () => {
        const filledUp = new Uint8Array(blocks * ABSMAX_BLOCK);
        filledUp.set((await quantized()).codes);
        return filledUp;
      },
    },
    {
      name: NF4_NAMES.nestedAbsmax(weight.name),
      dtype: 'F32',
      shape: [blocks, 1],
      data: async () => (await quantized()).nested,
    },
    {
      name: NF4_NAMES.nestedOffset(weight.name),
      dtype: 'F32',
      shape: [1],
      data: async () => Float32Array.of((await quantized()).offset),
    },
  ];
}

async function readAbsmax(weight: TensorToWrite): Promise<Float32Array<ArrayBuffer>> {
  const absmax = nf4Absmax(await readValues(weight));
  if (absmax.every(Number.isFinite)) return absmax;
  throw notFiniteWeight(weight);
}
