import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { writeTinyModel } from '../tiny-model-folder.ts';
import { type HubRepository, hubRepository } from './repositories.ts';

/** Files that repositories of models have beside what is needed, as those of Meta have them. */
const BESIDE: Readonly<Record<string, string>> = {
  '.gitattributes': '*.safetensors filter=lfs diff=lfs merge=lfs -text\n',
  LICENSE: 'A licence.\n',
  'README.md': '---\nlicense: llama3\n---\n',
  'USE_POLICY.md': 'A policy.\n',
  'original/consolidated.00.pth': 'weights of another format',
  'original/params.json': '{}',
  'special_tokens_map.json': '{}',
};

/** The files of a folder. */
export async function filesOf(folder: string): Promise<Record<string, Buffer>> {
  const names = await readdir(folder);
  const contents = await Promise.all(names.map((name) => readFile(path.join(folder, name))));
  return Object.fromEntries(names.map((name, index) => [name, contents[index]!]));
}

/**
 * A tiny model with the layout of a published one.
 *
 * @param folder an empty or missing folder to make it in
 */
export async function tinyModelRepository(
  folder: string,
  name = 'meta-llama/Meta-Llama-3-8B',
  options: Parameters<typeof hubRepository>[3] = {},
): Promise<HubRepository> {
  await writeTinyModel(folder);
  return hubRepository('model', name, { ...BESIDE, ...(await filesOf(folder)) }, options);
}

/** Small questions with the columns of MetaMathQA, in its one file. */
export function metaMathRepository(rows = 40): HubRepository {
  const content = Array.from({ length: rows }, (_, index) => ({
    query: `What is ${index} + 1?`,
    response: `It is ${index + 1}. The answer is: ${index + 1}`,
    type: 'GSM_Rephrased',
    original_question: `${index} + 1?`,
  }));
  return hubRepository('dataset', 'meta-math/MetaMathQA-40K', {
    '.gitattributes': '*.json filter=lfs\n',
    'README.md': '---\nlicense: mit\n---\n',
    'MetaMathQA-40K.json': JSON.stringify(content),
  });
}

/** Small dialogues in the two files of the guanaco data set. */
export function guanacoRepository(rows = 40): HubRepository {
  const lines = (count: number, what: string): string =>
    Array.from(
      { length: count },
      (_, index) =>
        `${JSON.stringify({ text: `### Human: ${what} ${index}?### Assistant: Yes, ${index}.` })}\n`,
    ).join('');
  return hubRepository('dataset', 'timdettmers/openassistant-guanaco', {
    '.gitattributes': '*.json filter=lfs\n',
    'README.md': '',
    'openassistant_best_replies_train.jsonl': lines(rows, 'Is it'),
    'openassistant_best_replies_eval.jsonl': lines(5, 'Held out'),
  });
}
