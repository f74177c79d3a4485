import path from 'node:path';
import { writeFileAtomic } from '../files/atomic-file.ts';
import { CHAT_TEMPLATE_FILE, type TokenizerFiles } from './tokenizer-files.ts';

/** Names of the files that {@link saveTokenizerFiles} writes, the last two where there is such a thing. */
export const TOKENIZER_FILES = [
  'tokenizer.json',
  'tokenizer_config.json',
  CHAT_TEMPLATE_FILE,
  'generation_config.json',
] as const;

/**
 * Writes a tokenizer as a Hugging Face folder holds it, so that a saved model keeps its chat
 * template and end-of-text tokens.
 *
 * @throws LorafaError `output.not_writable`
 */
export async function saveTokenizerFiles(folder: string, files: TokenizerFiles): Promise<void> {
  const write = (name: string, text: string): Promise<void> =>
    writeFileAtomic(path.join(folder, name), text);
  const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;
  const { chatTemplate, toolTemplate } = files;
  const templates = { default: chatTemplate, tool_use: toolTemplate };
  // Several templates are a list in the configuration, which a file beside it would hide.
  const chat_template = Object.entries(templates)
    .filter(([, template]) => typeof template === 'string')
    .map(([name, template]) => ({ name, template }));
  const hasList = toolTemplate !== undefined;
  await write('tokenizer.json', json(files.tokenizerJson));
  await write(
    'tokenizer_config.json',
    json({ ...files.tokenizerConfig, ...(hasList && { chat_template }) }),
  );
  if (chatTemplate !== null && !hasList) await write(CHAT_TEMPLATE_FILE, chatTemplate);
  if (files.generationConfig !== null) {
    await write('generation_config.json', json(files.generationConfig));
  }
}
