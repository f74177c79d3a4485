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
  /** What the template came from, where that is not {@link source}. */
  readonly chatTemplateSource?: string;
  /** Content of `generation_config.json`, or null. */
  readonly generationConfig: JsonObject | null;
  /** The folder or file that all this came from, for error messages. */
  readonly source: string;
}

/** A chat template as it is written, and the file that it came from. */
export interface TemplateText {
  readonly text: string;
  readonly source: string;
}

/** The file in a folder that holds a chat template, as transformers saves it. */
export const CHAT_TEMPLATE_FILE = 'chat_template.jinja';

/**
 * A tokenizer's files with another chat template in the place of their own, which goes: of a folder that
 * has both, not all programs take that of the file.
 */
export function withTemplate(
  files: TokenizerFiles,
  { text, source }: TemplateText,
): TokenizerFiles {
  const { chat_template: _own, ...tokenizerConfig } = files.tokenizerConfig;
  return { ...files, tokenizerConfig, chatTemplate: text, chatTemplateSource: source };
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
    chatTemplate: (await readFolderTemplate(folder))?.text ?? templateOf(tokenizerConfig),
    generationConfig: await read('generation_config.json'),
    source: folder,
  };
}

/** A hundred times what the longest templates have. */
const MAX_TEMPLATE_BYTES = 2 ** 22;

/**
 * The chat template that lies in the folder of a model or of an adapter; undefined where there is none.
 *
 * @throws LorafaError `model.tokenizer` when it cannot be read
 */
export async function readFolderTemplate(folder: string): Promise<TemplateText | undefined> {
  const source = path.join(folder, CHAT_TEMPLATE_FILE);
  try {
    return { text: await readTemplateFile(source), source };
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw new LorafaError(
      'model.tokenizer',
      `Cannot read ${source} (${messageOf(error)}); check its permissions.`,
      { location: { file: source }, cause: error },
    );
  }
}

/** The text of a template's file. Throws what the system throws. */
export async function readTemplateFile(file: string): Promise<string> {
  return (await readBoundedFile(file, MAX_TEMPLATE_BYTES)).toString('utf8');
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
