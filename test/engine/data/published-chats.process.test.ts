import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { goldenJson } from '../../support/golden.ts';
import { conversationOf, type GoldenChats, goldenTokenizer } from './golden-chats.ts';

/*
 * Every template that the package trl holds (Llama, Qwen, Phi, Gemma, gpt-oss and others), by transformers
 * and here. With LORAFA_REFERENCE_PYTHON, a Python that has test/reference/requirements.txt.
 */

const python = process.env['LORAFA_REFERENCE_PYTHON'];
const script = path.join(import.meta.dirname, '../../reference/chats.py');

/** Templates for images, which loop over parts of a turn where texts have none. */
const FOR_PARTS = /_vl|^idefics|^smolvlm|^llava/;

test.skipIf(python === undefined)(
  'published templates write what they write in Python',
  {
    timeout: 120_000,
  },
  async () => {
    const options = { maxBuffer: 2 ** 28 };
    const { stdout } = await promisify(execFile)(python!, [script, '--published'], options);
    const { templates, cases } = JSON.parse(stdout) as GoldenChats;
    const { rows } = goldenJson<GoldenChats>('chats', 'chats.json');
    const texts = cases.filter(
      ({ template, text }) => text !== undefined && !FOR_PARTS.test(template),
    );
    let compared = 0;
    for (const { template, row, text, prompt } of texts) {
      const tokenizer = await goldenTokenizer(templates[template]!);
      const { messages, tools } = conversationOf(rows[row]!);
      const render = (addGenerationPrompt: boolean): string =>
        tokenizer.applyChatTemplate(messages, { addGenerationPrompt, tools });
      // Python writes nothing for a text that a call does not have; here that is refused.
      const lacksText = messages.some(({ content }) => content === null);
      const written = lacksText ? ignoringRefusal(() => render(false)) : render(false);
      if (written === undefined) continue;
      expect(written, `${template}: ${row}`).toBe(text);
      expect(render(true), `${template}: ${row}`).toBe(prompt);
      compared += 1;
    }
    expect(compared).toBeGreaterThan(250);
  },
);

function ignoringRefusal(task: () => string): string | undefined {
  try {
    return task();
  } catch {
    return undefined;
  }
}
