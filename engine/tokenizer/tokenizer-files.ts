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
  /** The template for conversations with functions that may be called, where that is another one. */
  readonly toolTemplate?: string;
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

/** That for conversations with functions, where a model has several templates. */
export const TOOL_TEMPLATE_FILE = 'additional_chat_templates/tool_use.jinja';

/**
 * A tokenizer's files with another chat template in the place of their own, which goes: of a folder that
 * has both, not all programs take that of the file.
 */
export function withTemplate(
  files: TokenizerFiles,
  { text, source }: TemplateText,
): TokenizerFiles {
  const { toolTemplate: _, tokenizerConfig, ...others } = files;
  const { chat_template: __, ...config } = tokenizerConfig;
  return {
    ...others,
    tokenizerConfig: config,
    chatTemplate: text,
    chatTemplateSource: source,
  };
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
  const toolTemplate =
    (await readTemplateIn(folder, TOOL_TEMPLATE_FILE))?.text ??
    templateOf(tokenizerConfig, 'tool_use');
  return {
    tokenizerJson,
    tokenizerConfig,
    chatTemplate:
      (await readFolderTemplate(folder))?.text ?? templateOf(tokenizerConfig, 'default') ?? null,
    ...(toolTemplate !== undefined && { toolTemplate }),
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
export function readFolderTemplate(folder: string): Promise<TemplateText | undefined> {
  return readTemplateIn(folder, CHAT_TEMPLATE_FILE);
}

async function readTemplateIn(folder: string, name: string): Promise<TemplateText | undefined> {
  const source = path.join(folder, name);
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

/** The only template of a model, or the one of that name in a list of named templates. */
function templateOf(
  { chat_template: template }: JsonObject,
  name: 'default' | 'tool_use',
): string | undefined {
  if (typeof template === 'string') return name === 'default' ? template : undefined;
  if (!Array.isArray(template)) return undefined;
  const named = template
    .filter(isJsonObject)
    .find((entry) => entry['name'] === name && typeof entry['template'] === 'string');
  return named === undefined ? undefined : String(named['template']);
}
