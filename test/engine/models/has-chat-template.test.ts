import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { hasChatTemplate } from '../../../engine/models/has-chat-template.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { writeTinyModel } from '../../support/tiny-model-folder.ts';

test('the base model decides, unless the adapter has a chat template of its own', async () => {
  const folder = await tempFolder();
  const [chat, plain, adapter] = ['chat', 'plain', 'adapter'].map((name) =>
    path.join(folder, name),
  ) as [string, string, string];
  await writeTinyModel(chat);
  await writeTinyModel(plain, { chatTemplate: null });
  await mkdir(adapter);
  expect(await hasChatTemplate(chat, null)).toBe(true);
  expect(await hasChatTemplate(chat, adapter)).toBe(true);
  expect(await hasChatTemplate(plain, null)).toBe(false);
  expect(await hasChatTemplate(plain, adapter)).toBe(false);
  await writeFile(path.join(adapter, 'chat_template.jinja'), '{{ messages }}');
  expect(await hasChatTemplate(plain, adapter)).toBe(true);
  expect(await hasChatTemplate(plain, null)).toBe(false);
  // The weights are not needed to tell.
  await rm(path.join(plain, 'model.safetensors'));
  expect(await hasChatTemplate(plain, null)).toBe(false);
});

test('the base model of the demo continues texts', async () => {
  expect(await hasChatTemplate(path.resolve('media/demo/base'), null)).toBe(false);
});
