import { describe, expect, test } from 'vitest';
import { loadDataset } from '../../../engine/data/dataset.ts';
import { goldenJson } from '../../support/golden.ts';
import { dataOptions } from './data-options.ts';
import { conversationOf, type GoldenChats, goldenTokenizer } from './golden-chats.ts';
import { jsonl, useTempFiles } from './temp-files.ts';

/*
 * What transformers makes of conversations with tools, by templates in the manner of Llama 3, Qwen 2.5,
 * Mistral and SmolLM3, and what it masks where a template has generation blocks.
 */

const { templates, rows, cases } = goldenJson<GoldenChats>('chats', 'chats.json');
const write = useTempFiles();

describe.each(Object.keys(templates))('the template %s', (name) => {
  const ours = cases.filter(({ template }) => template === name);

  test.each(ours.map((each) => [each.row, each] as const))('%s', async (row, golden) => {
    const tokenizer = await goldenTokenizer(templates[name]!);
    const { messages, tools } = conversationOf(rows[row]!);
    const render = (addGenerationPrompt: boolean): string =>
      tokenizer.applyChatTemplate(messages, { addGenerationPrompt, tools });
    if (golden.error === undefined) {
      expect(render(false)).toBe(golden.text);
      expect(render(true)).toBe(golden.prompt);
    } else {
      expect(() => render(false)).toThrow(/refused a conversation/);
    }
  });
});

const marked = cases.filter(({ mask }) => mask !== undefined);

test.each(marked.map((each) => [each.template, each.row, each] as const))(
  'what %s marks is learned: %s',
  async (name, row, { ids, mask }) => {
    const file = await write('row.jsonl', jsonl(rows[row]));
    const tokenizer = await goldenTokenizer(templates[name]!);
    const { examples } = await loadDataset([file], tokenizer, dataOptions());
    const length = mask!.lastIndexOf(1) + 1;
    expect([...examples[0]!.inputIds]).toEqual(ids!.slice(0, length));
    expect([...examples[0]!.supervised]).toEqual(mask!.slice(0, length));
  },
);
