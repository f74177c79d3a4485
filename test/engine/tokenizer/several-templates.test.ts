import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import type { ChatTool } from '../../../engine/tokenizer/chat-template.ts';
import { saveTokenizerFiles } from '../../../engine/tokenizer/save-tokenizer.ts';
import { loadTokenizer } from '../../../engine/tokenizer/tokenizer.ts';
import {
  CHAT_TEMPLATE_FILE,
  readTokenizerFiles,
  TOOL_TEMPLATE_FILE,
  type TokenizerFiles,
  withTemplate,
} from '../../../engine/tokenizer/tokenizer-files.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { byteLevelFiles, NO_IDS } from './tiny-tokenizer.ts';

/* Models whose conversations with functions are rendered by another template, as transformers chooses it. */

const messages = [{ role: 'user', content: 'hi' }];

test.each([
  ['a list in the configuration', false],
  ['files of their own', true],
])('with functions it is the one for tools, which %s name', async (_, inFiles) => {
  const [own, tools] = ['chat', 'tools: {{ tools | length }}'];
  const folder = await tempFolder();
  const { tokenizerJson, tokenizerConfig } = byteLevelFiles();
  const list = [
    { name: 'default', template: own },
    { name: 'tool_use', template: tools },
  ];
  const config = { ...tokenizerConfig, ...(!inFiles && { chat_template: list }) };
  await writeFile(path.join(folder, 'tokenizer.json'), JSON.stringify(tokenizerJson));
  await writeFile(path.join(folder, 'tokenizer_config.json'), JSON.stringify(config));
  if (inFiles) {
    await mkdir(path.join(folder, 'additional_chat_templates'));
    await writeFile(path.join(folder, CHAT_TEMPLATE_FILE), own);
    await writeFile(path.join(folder, TOOL_TEMPLATE_FILE), tools);
  }
  const files = await readTokenizerFiles(folder);
  const rendered = (from: TokenizerFiles, ...given: ChatTool[]): string =>
    loadTokenizer(from, NO_IDS).applyChatTemplate(messages, {
      addGenerationPrompt: false,
      tools: given,
    });
  expect([rendered(files), rendered(files, {}, {})]).toEqual(['chat', 'tools: 2']);
  // Saved with a model that was trained whole, and read again.
  const saved = await tempFolder();
  await saveTokenizerFiles(saved, files);
  const again = await readTokenizerFiles(saved);
  expect([rendered(again), rendered(again, {}, {})]).toEqual(['chat', 'tools: 2']);
  // A template of one's own is for all conversations.
  const given = withTemplate(files, { text: 'own', source: 'run' });
  await saveTokenizerFiles(saved, given);
  const third = await readTokenizerFiles(saved);
  expect([rendered(third), rendered(third, {})]).toEqual(['own', 'own']);
});
