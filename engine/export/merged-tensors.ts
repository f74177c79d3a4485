import { stat } from 'node:fs/promises';
import { linearModules } from '../architectures/linear-modules.ts';
import { dequantizeNf4, nf4Absmax, nf4Codes } from '../formats/nf4.ts';
import { dequantizeAbsmax, quantizeAbsmax } from '../formats/nf4-double.ts';
import type { NarrowDtype } from '../formats/tensor-data.ts';
import { openGguf } from '../gguf/gguf.ts';
import { unpackGguf } from '../gguf/gguf-weights.ts';
import type { AdapterWeights } from '../lora/adapter.ts';
import { type LoraModule, loraAName, loraBName } from '../lora/lora-module.ts';
import type { Nf4Options } from '../weights/nf4-weights.ts';
import type { ExportSource } from './export-source.ts';
import {
  type AnyTensor,
  allRows,
  isOfFloats,
  type ModelTensor,
  madeTensor,
  rowWidth,
  storedTensor,
  transposedTensor,
} from './model-tensor.ts';

/**
 * All tensors of a model with its adapter merged: `W + scaling · B A`, added in float32 as PEFT's
 * `merge_and_unload` does, but rounded once. Each is made when its rows are read, and again whenever they
 * are. Those of a GGUF file are its values as a run computes with them.
 *
 * @throws LorafaError as `openGguf` does
 */
export async function mergedTensors(source: ExportSource): Promise<readonly ModelTensor[]> {
  const { adapter, nf4, base } = source;
  const linear = new Map(
    linearModules(base.config).map(({ name, fanInFanOut }) => [`${name}.weight`, fanInFanOut]),
  );
  const modules = new Map(adapter?.modules.map((module) => [`${module.name}.weight`, module]));
  const changed = (tensor: ModelTensor): ModelTensor => {
    const weight = nf4 === undefined ? tensor : inNf4(tensor, nf4);
    const module = modules.get(tensor.name);
    return module === undefined ? weight : merged(weight, module, adapter!.weights);
  };
  return (await baseTensors(source)).map((tensor) => {
    const fanInFanOut = linear.get(tensor.name);
    if (fanInFanOut === undefined) return tensor;
    return fanInFanOut ? transposedTensor(changed(transposedTensor(tensor))) : changed(tensor);
  });
}

/** The tensors that the base's config calls for, in the order of the forward pass. */
async function baseTensors({ base }: ExportSource): Promise<readonly ModelTensor[]> {
  const { tensors } = base.weights;
  // Else it is a folder.
  const isGguf = (await stat(base.path)).isFile();
  if (!isGguf) return [...tensors.values()].map(storedTensor);
  const made = unpackGguf(await openGguf(base.path), base.config);
  const byName = new Map(made.map((tensor) => [tensor.name, madeTensor(tensor)]));
  return [...tensors.keys()].map((name) => byName.get(name)!);
}

/** The type that most values of a model have, which is that of its matrices. */
export function matrixDtype(tensors: readonly AnyTensor[]): NarrowDtype {
  return tensors.filter(isOfFloats).find(({ shape }) => shape.length > 1)!.dtype;
}

/** A weight as a run with a base in NF4 computes with it. */
function inNf4(tensor: ModelTensor, { doubleQuant }: Nf4Options): ModelTensor {
  return {
    ...tensor,
    async *rows() {
      const values = await allRows(tensor);
      const absmax = nf4Absmax(values);
      const codes = nf4Codes(values, absmax);
      const scales = doubleQuant
        ? dequantizeAbsmax(quantizeAbsmax(absmax)).subarray(0, absmax.length)
        : absmax;
      yield dequantizeNf4(codes, scales, values.length);
    },
  };
}

function merged(weight: ModelTensor, module: LoraModule, weights: AdapterWeights): ModelTensor {
  const [a, b] = [weights.get(loraAName(module.name))!, weights.get(loraBName(module.name))!];
  return {
    ...weight,
    async *rows() {
      const width = rowWidth(weight.shape);
      let row = 0;
      for await (const piece of weight.rows()) {
        addProduct(piece, b.subarray(row * module.r), a, module, width);
        row += piece.length / width;
        yield piece;
      }
    },
  };
}

/** Adds `scaling · b · a` to rows, with sums in double precision. */
function addProduct(
  rows: Float32Array,
  b: Float32Array,
  a: Float32Array,
  { r, scaling }: LoraModule,
  width: number,
): void {
  const sums = new Float64Array(width);
  for (let row = 0; row * width < rows.length; row++) {
    sums.fill(0);
    for (let rank = 0; rank < r; rank++) {
      const [factor, start] = [b[row * r + rank]!, rank * width];
      for (let i = 0; i < width; i++) sums[i]! += factor * a[start + i]!;
    }
    const start = row * width;
    for (let i = 0; i < width; i++) rows[start + i]! += scaling * sums[i]!;
  }
}
