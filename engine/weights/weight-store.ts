import path from 'node:path';
import { LorafaError } from '../errors.ts';
import type { TensorLocation } from '../formats/tensor-location.ts';
import type { ComputeMode } from './compute-mode.ts';

/** Where a set of weights lies: one real folder and the names of the files in it. */
export interface WeightFiles {
  readonly folder: string;
  readonly names: readonly string[];
}

/** The weights of one model under their Hugging Face names, left where they are on disk. */
export class WeightStore {
  /** Every tensor of the model by name, e.g. `model.layers.0.self_attn.q_proj.weight`. */
  readonly tensors: ReadonlyMap<string, TensorLocation>;
  /** How products with the weights are computed: but for float32, they are made for that. */
  readonly compute: ComputeMode;

  constructor(tensors: ReadonlyMap<string, TensorLocation>, compute: ComputeMode = 'float32') {
    this.tensors = tensors;
    this.compute = compute;
  }

  /**
   * The location of a tensor that the model's config calls for.
   *
   * @throws LorafaError `model.missing_tensor` when there is none of that name.
   */
  get(name: string): TensorLocation {
    const location = this.tensors.get(name);
    if (location === undefined) {
      const files = [...new Set([...this.tensors.values()].map((tensor) => tensor.file))];
      throw new LorafaError(
        'model.missing_tensor',
        `The model has no tensor "${name}" (looked in ${files.join(', ') || 'no file at all'}); download the model again or check that its config.json belongs to it.`,
      );
    }
    return location;
  }

  /**
   * The one folder that sessions find the files in. Where ONNX Runtime reads them itself, it refuses
   * absolute paths, `..` and symbolic links, so it must be given the real folder and plain names in it.
   *
   * @throws LorafaError `model.unsupported` when the real files lie in more than one folder.
   */
  files(): WeightFiles {
    const files = [...new Set([...this.tensors.values()].map((tensor) => tensor.file))].sort();
    const folders = [...new Set(files.map((file) => path.dirname(file)))];
    const [folder] = folders;
    if (folder === undefined || folders.length > 1) {
      throw new LorafaError(
        'model.unsupported',
        `The weight files of this model lie in ${folders.length} different folders (${folders.join(', ')}); copy them into one folder.`,
      );
    }
    return { folder, names: files.map((file) => path.basename(file)) };
  }
}
