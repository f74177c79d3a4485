import path from 'node:path';
import { codeOf, readBoundedFile } from '../bounded-file.ts';
import { LorafaError, messageOf } from '../errors.ts';
import { isJsonObject, type JsonObject, readJsonFile } from '../json-file.ts';

/** What a tokenizer is made from, whether it was read from a folder or from a GGUF's metadata. */
export interface TokenizerFiles {
  /** Content of `tokenizer.json` (Hugging Face tokenizers format). */
  readonly tokenizerJson: JsonObject;
  /** Content of `tokenizer_config.json`; empty when there is none. */
  readonly tokenizerConfig: JsonObject;
  /** The Jinja template, from `chat_template.jinja` or the tokenizer config; null when there is none. */
  readonly chatTemplate: string | null;
  /** Content of `generation_config.json`, or null. */
  readonly generationConfig: JsonObject | null;
  /** The folder or file that all this came from, for error messages. */
  readonly source: string;
}

/**
 * Reads the tokenizer of a Hugging Face folder.
 *
 * @throws LorafaError `model.tokenizer` when `tokenizer.json` is missing or a file is broken.
 */
export async function readTokenizerFiles(folder: string): Promise<TokenizerFiles> {
  const read = (name: string) => readJsonFile(path.join(folder, name), 'model.tokenizer');
  const tokenizerJson = await read('tokenizer.json');
  if (tokenizerJson === null) {
    throw new LorafaError(
      'model.tokenizer',
      `${folder} has no tokenizer.json; download it with the model (a model that only has tokenizer.model gets one when transformers saves its tokenizer again).`,
      { location: { file: folder } },
    );
  }
  const tokenizerConfig = (await read('tokenizer_config.json')) ?? {};
  return {
    tokenizerJson,
    tokenizerConfig,
    chatTemplate: (await readTemplateFile(folder)) ?? templateOf(tokenizerConfig),
    generationConfig: await read('generation_config.json'),
    source: folder,
  };
}

/** A hundred times what the longest templates have. */
const MAX_TEMPLATE_BYTES = 2 ** 22;

async function readTemplateFile(folder: string): Promise<string | null> {
  const file = path.join(folder, 'chat_template.jinja');
  try {
    return (await readBoundedFile(file, MAX_TEMPLATE_BYTES)).toString('utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw new LorafaError(
      'model.tokenizer',
      `Cannot read ${file} (${messageOf(error)}); check its permissions.`,
      { location: { file }, cause: error },
    );
  }
}

/** A template, or the one called "default" in a list of named templates. */
function templateOf({ chat_template: template }: JsonObject): string | null {
  if (typeof template === 'string') return template;
  if (!Array.isArray(template)) return null;
  const named = template
    .filter(isJsonObject)
    .find((entry) => entry['name'] === 'default' && typeof entry['template'] === 'string');
  return named === undefined ? null : String(named['template']);
}
