import type { TensorLocation } from '../formats/tensor-location.ts';
import type { BaseModel } from '../models/base-model.ts';
import { moduleName, openTensors } from '../models/hugging-face-folder.ts';
import { type AnyTensor, anyStoredTensor, type ModelTensor } from './model-tensor.ts';

/** A model with other parts beside its text, as a folder holds all of it. */
export interface WholeModel {
  /** Under the names that the files have. */
  readonly tensors: readonly AnyTensor[];
  readonly locations: readonly TensorLocation[];
}

/**
 * All tensors of a model of which only the text is known here, in the order of its files.
 *
 * @param text what takes the place of the tensors of its text, under the names of modules
 * @throws LorafaError as `openTensors` does
 */
export async function wholeModel(
  { path: folder, config }: Pick<BaseModel, 'path' | 'config'>,
  text: readonly ModelTensor[] = [],
): Promise<WholeModel> {
  const ofText = new Map(text.map((tensor) => [tensor.name, tensor]));
  const locations = [...(await openTensors(folder)).values()];
  const tensors = locations.map((location) => {
    const { name } = location;
    const known = ofText.get(moduleName(name, config.storedNames));
    return known === undefined ? anyStoredTensor(location) : { ...known, name };
  });
  return { tensors, locations };
}
