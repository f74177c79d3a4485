import { isTemplateFile } from '../config/resolve-paths.ts';
import type { ResolvedConfig } from '../config/schema.ts';
import { LorafaError, messageOf } from '../errors.ts';
import type { BaseModel } from '../models/base-model.ts';
import { loadTokenizer, type Tokenizer, type TokenizerOptions } from '../tokenizer/tokenizer.ts';
import { readTemplateFile, type TemplateText, withTemplate } from '../tokenizer/tokenizer-files.ts';

/**
 * The tokenizer of a run: that of its base model, with the chat template of the configuration where
 * that gives one.
 *
 * @throws LorafaError as {@link readChatTemplate} and `loadTokenizer`
 */
export async function loadRunTokenizer(
  { data }: Pick<ResolvedConfig, 'data'>,
  { tokenizer, config }: Pick<BaseModel, 'tokenizer' | 'config'>,
  options: TokenizerOptions = {},
): Promise<Tokenizer> {
  const template = await readChatTemplate({ data });
  const files = template === undefined ? tokenizer : withTemplate(tokenizer, template);
  return loadTokenizer(files, config, options);
}

/**
 * The chat template that a resolved configuration gives, itself or in a file; undefined where it gives
 * none.
 *
 * @throws LorafaError `data.chat_template` when its file cannot be read
 */
export async function readChatTemplate({
  data: { chat_template: given },
}: Pick<ResolvedConfig, 'data'>): Promise<TemplateText | undefined> {
  if (given === undefined) return undefined;
  if (!isTemplateFile(given)) return { text: given, source: 'data.chat_template' };
  try {
    return { text: await readTemplateFile(given), source: given };
  } catch (error) {
    throw new LorafaError(
      'data.chat_template',
      `The chat template ${given} cannot be read (${messageOf(error)}); check the path in data.chat_template.`,
      { location: { file: given }, cause: error },
    );
  }
}
