import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import type { DecoderConfig } from '../architectures/decoder-config.ts';
import { codeOf } from '../bounded-file.ts';
import { LorafaError, messageOf } from '../errors.ts';
import { isGgufModel } from '../gguf/split-name.ts';
import type { JsonObject } from '../json-file.ts';
import { shortened } from '../quote.ts';
import { readTokenizerFiles, type TokenizerFiles } from '../tokenizer/tokenizer-files.ts';
import type { OpenOptions } from '../weights/make-weights.ts';
import type { WeightStore } from '../weights/weight-store.ts';
import { openGgufModel } from './gguf-model.ts';
import { openHuggingFaceFolder, readDecoderConfig } from './hugging-face-folder.ts';

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
 * Opens a base model: a Hugging Face folder, a GGUF file or a part of one, or a folder that holds one
 * GGUF model and no `config.json`.
 *
 * @throws LorafaError `model.not_found`, `model.corrupt`, `model.unsupported`,
 * `model.missing_tensor`, `model.shape_mismatch` or `model.tokenizer`; where weights have to be
 * unpacked or quantized also `output.not_writable` and `model.not_finite`.
 */
export async function openBaseModel(
  location: string,
  options: OpenOptions = {},
): Promise<BaseModel> {
  if (options.heads?.has(location) === true) return openGgufModel(location, options);
  let isFolder: boolean;
  try {
    isFolder = (await stat(location)).isDirectory();
  } catch (error) {
    throw new LorafaError(
      'model.not_found',
      `There is no model at ${shortened(location, MOST_OF_PATH)}${unlessMissing(error)}; give a folder with config.json, tokenizer.json and model.safetensors, or a .gguf file.`,
      { location: { file: location }, cause: error },
    );
  }
  if (!isFolder) return openFile(location, options);
  const names = await readdir(location);
  const ggufs = names.filter((name) => isGgufModel(name)).sort();
  if (names.includes('config.json') || ggufs.length === 0) {
    return openHuggingFaceFolder(location, options);
  }
  if (ggufs.length > 1) {
    throw new LorafaError(
      'model.unsupported',
      `${location} holds several models (${ggufs.join(', ')}); give the path of one of them.`,
      { location: { file: location } },
    );
  }
  return openGgufModel(path.join(location, ggufs[0]!), options);
}

/**
 * What turns text into a base model's tokens. Of a folder the weights are not looked at, so that they
 * need not be there.
 *
 * @param heads see {@link OpenOptions}
 * @throws LorafaError as {@link openBaseModel}
 */
export async function openTokenizer(
  location: string,
  heads?: OpenOptions['heads'],
): Promise<Pick<BaseModel, 'config' | 'tokenizer'>> {
  const names: string[] = await readdir(location).catch(() => []);
  if (!names.includes('config.json'))
    return openBaseModel(location, { headersOnly: true, ...(heads && { heads }) });
  const { config } = await readDecoderConfig(location);
  return { config, tokenizer: await readTokenizerFiles(location) };
}

async function openFile(file: string, options: OpenOptions): Promise<BaseModel> {
  if (file.toLowerCase().endsWith('.gguf')) return openGgufModel(file, options);
  throw new LorafaError(
    'model.unsupported',
    `${file} is neither a model folder nor a .gguf file; for a safetensors file give the folder that holds it.`,
    { location: { file } },
  );
}

/** What a path may take of a sentence, in characters: adapters name their bases as they like. */
const MOST_OF_PATH = 500;

/** The system's own words about a path, except that it does not exist, which none does that is too long. */
function unlessMissing(error: unknown): string {
  return ['ENOENT', 'ENAMETOOLONG'].includes(codeOf(error) ?? '') ? '' : ` (${messageOf(error)})`;
}
