import type { DecoderConfig } from './decoder-config.ts';
import { openHuggingFaceFolder } from './hugging-face-folder.ts';
import type { JsonObject } from './json-file.ts';
import type { TokenizerFiles } from './tokenizer-files.ts';
import type { WeightStore } from './weight-store.ts';

/** A base model on disk, opened and checked: nothing but its headers has been read into memory. */
export interface BaseModel {
  /** The folder or file it was opened from, as the user wrote it. */
  readonly path: string;
  /** Short name for people: the folder's or the file's. */
  readonly name: string;
  readonly config: DecoderConfig;
  /** The Hugging Face `config.json`, for saving a full model. */
  readonly configJson: JsonObject;
  readonly weights: WeightStore;
  readonly tokenizer: TokenizerFiles;
}

/**
 * Opens a base model: a Hugging Face folder.
 *
 * @throws LorafaError with a `model.` code.
 */
export async function openBaseModel(location: string): Promise<BaseModel> {
  return openHuggingFaceFolder(location);
}
