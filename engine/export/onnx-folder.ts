import path from 'node:path';
import { openSafetensors } from '../formats/safetensors.ts';
import type { TensorLocation } from '../formats/tensor-location.ts';
import { WeightStore } from '../weights/weight-store.ts';
import type { ExportDtype } from './export-format.ts';

/** Types that the weights are stored in. */
export type OnnxDtype = Extract<ExportDtype, 'f32' | 'f16'>;

/** What transformers.js calls them, and what it looks for. */
export const ONNX_FILES = {
  f32: { dtype: 'fp32', model: 'model.onnx' },
  f16: { dtype: 'fp16', model: 'model_fp16.onnx' },
} as const satisfies Record<OnnxDtype, object>;

/** The folder in the folder where transformers.js looks for graphs. */
export const ONNX_FOLDER = 'onnx';

/** A file with weights, of which a graph may have several. */
export function dataName(dtype: OnnxDtype, index: number): string {
  return `${ONNX_FILES[dtype].model}_data${index === 0 ? '' : `_${index}`}`;
}

/**
 * The weights beside a graph. Their files are safetensors files, so that each weight has its name: what a graph
 * tells of external data is where each tensor lies, and nobody minds the header.
 *
 * @throws LorafaError as `openSafetensors`
 */
export async function openOnnxData(
  folder: string,
  dtype: OnnxDtype,
  files: number,
): Promise<WeightStore> {
  const tensors = new Map<string, TensorLocation>();
  for (let index = 0; index < files; index++) {
    const file = path.join(folder, ONNX_FOLDER, dataName(dtype, index));
    for (const [name, tensor] of (await openSafetensors(file)).tensors) tensors.set(name, tensor);
  }
  return new WeightStore(tensors);
}
