import path from 'node:path';
import { readBoundedFile } from '../bounded-file.ts';
import { isGgufModel, namesOfParts } from '../gguf/split-name.ts';
import { isSafePath } from '../hub/hub-name.ts';
import {
  type ChooseFiles,
  listNames,
  noFiles,
  type RepositoryView,
} from '../hub/repository-view.ts';
import { parseJson } from '../json.ts';
import { isJsonObject } from '../json-file.ts';
import { ADAPTER_CONFIG_FILE, ADAPTER_WEIGHTS_FILE } from '../lora/adapter.ts';
import { readDecoderConfig } from '../models/hugging-face-folder.ts';
import { CHAT_TEMPLATE_FILE, TOOL_TEMPLATE_FILE } from '../tokenizer/tokenizer-files.ts';

const WEIGHTS = 'model.safetensors';
const INDEX = 'model.safetensors.index.json';
const MAX_INDEX_BYTES = 2 ** 24;

/** What a model has beside its weights, as far as it is read. */
const SMALL_FILES = [
  'config.json',
  'generation_config.json',
  'tokenizer.json',
  'tokenizer_config.json',
  CHAT_TEMPLATE_FILE,
  TOOL_TEMPLATE_FILE,
];

/** What of a model is wanted: all, what makes text into tokens, or only how large it is and of what kind. */
export type ModelParts = 'all' | 'tokenizer' | 'structure';

/**
 * The files of a base model: configuration, tokenizer and safetensors, or one GGUF model with all its parts. What can be
 * told to be of no use is refused before any weight is fetched.
 *
 * @param part the GGUF file that is meant, or what only its name holds (`Q4_K_M`)
 * @throws HubError `hub.no_files`; LorafaError as `readDecoderConfig`
 */
export function modelFiles(part: string | undefined, parts: ModelParts = 'all'): ChooseFiles {
  return async (view) => {
    const { files } = view;
    if (part !== undefined) return allParts(view, ggufFile(view, part));
    const isFolder = parts === 'tokenizer' || files.includes(WEIGHTS) || files.includes(INDEX);
    if (files.includes('config.json') && isFolder) return folderFiles(view, parts);
    const ggufs = files.filter(isGgufModel);
    if (ggufs.length === 1) return allParts(view, ggufs[0]!);
    if (ggufs.length > 1) {
      throw noFiles(
        view,
        `holds several models; say which one, e.g. ${view.name}:${ggufs[0]} (there are ${listNames(ggufs)})`,
      );
    }
    const hasPickles = files.some((file) => /\.(bin|pt|pth)$/.test(file));
    throw noFiles(
      view,
      hasPickles
        ? 'has its weights only as pickled .bin files, which are not read; look for another edition of it with safetensors'
        : `has no config.json with ${WEIGHTS}, and no .gguf file; is it a language model?`,
    );
  };
}

async function folderFiles(view: RepositoryView, parts: ModelParts): Promise<readonly string[]> {
  const { files, folder } = view;
  if (!files.includes('tokenizer.json')) {
    throw noFiles(
      view,
      'has no tokenizer.json; look for an edition of it that was saved by a newer transformers',
    );
  }
  const wanted = parts === 'structure' ? ['config.json'] : SMALL_FILES;
  const small = wanted.filter((file) => files.includes(file));
  await view.get(['config.json']);
  await readDecoderConfig(folder);
  if (parts === 'tokenizer') return small;
  if (files.includes(WEIGHTS)) return [...small, WEIGHTS];
  await view.get([INDEX]);
  const shards = await readShards(path.join(folder, INDEX));
  const missing = shards.find((shard) => !files.includes(shard));
  if (missing !== undefined) throw noFiles(view, `has no ${missing}, which its index names`);
  return [...small, INDEX, ...shards];
}

/** The files that an index names; what is wrong with it otherwise is told when the model is opened. */
async function readShards(index: string): Promise<readonly string[]> {
  const json = parseJson(String(await readBoundedFile(index, MAX_INDEX_BYTES)));
  const map = isJsonObject(json) && isJsonObject(json['weight_map']) ? json['weight_map'] : {};
  const names = Object.values(map).filter((name) => typeof name === 'string');
  return [...new Set(names)].filter(isSafePath).sort();
}

function ggufFile(view: RepositoryView, part: string): string {
  if (view.files.includes(part) && part.toLowerCase().endsWith('.gguf')) return part;
  const ggufs = view.files.filter(isGgufModel);
  const wanted = part.toLowerCase();
  const [found, ...others] = ggufs.filter((file) =>
    path.posix
      .basename(file)
      .toLowerCase()
      .split(/[^a-z0-9_]/)
      .includes(wanted),
  );
  if (found !== undefined && others.length === 0) return found;
  const choice = ggufs.length === 0 ? 'it has no .gguf file at all' : `it has ${listNames(ggufs)}`;
  throw noFiles(
    view,
    found === undefined ? `has no file ${part}; ${choice}` : `has several files ${part}; ${choice}`,
  );
}

/** A GGUF file with the other parts of its model, the first one first. */
function allParts(view: RepositoryView, file: string): readonly string[] {
  const parts = namesOfParts(file);
  const missing = parts.find((part) => !view.files.includes(part));
  if (missing === undefined) return parts;
  throw noFiles(view, `has no ${missing}, which belongs to ${file}`);
}

/** The files of an adapter, and the chat template that it brings. @throws HubError `hub.no_files` */
export const adapterFiles: ChooseFiles = async (view) => {
  const wanted = [ADAPTER_CONFIG_FILE, ADAPTER_WEIGHTS_FILE];
  const missing = wanted.find((file) => !view.files.includes(file));
  if (missing === undefined) {
    return view.files.includes(CHAT_TEMPLATE_FILE) ? [...wanted, CHAT_TEMPLATE_FILE] : wanted;
  }
  throw noFiles(view, `is no adapter that can be read: it has no ${missing}`);
};
