import { describe, expect, test, vi } from 'vitest';
import { loadDataset } from '../../../engine/data/dataset.ts';
import type { DataOptions } from '../../../engine/data/options.ts';
import { Random } from '../../../engine/random.ts';
import { loadTokenizer, type Tokenizer } from '../../../engine/tokenizer/tokenizer.ts';
import { byteLevelTokenizer, NO_IDS, sentencePieceFiles } from '../tokenizer/tiny-tokenizer.ts';
import { dataOptions } from './data-options.ts';
import { markedText } from './marked-text.ts';
import { jsonl, useTempFiles } from './temp-files.ts';

const write = useTempFiles();
const chatTokenizer = byteLevelTokenizer();
const plainTokenizer = byteLevelTokenizer({
  tokenizerConfig: { bos_token: '<|bos|>', eos_token: '<|im_end|>', add_bos_token: true },
  chatTemplate: null,
});

/** The example's text with what is learned in brackets. */
async function marked(
  row: unknown,
  tokenizer: Tokenizer,
  changes: Partial<DataOptions> = {},
): Promise<string> {
  const file = await write('row.jsonl', jsonl(row));
  const { examples } = await loadDataset([file], tokenizer, dataOptions(changes));
  return markedText(examples[0]!, tokenizer);
}

const turn = (role: string, content: string): { role: string; content: string } => ({
  role,
  content,
});
const shown = '<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n';

describe('prompt and completion', () => {
  const row = { prompt: 'hi', completion: ' yo' };

  test('without a chat template: BOS, the texts as they are, EOS learned although it is the padding', async () => {
    expect(plainTokenizer.padId).toBe(plainTokenizer.eosId);
    expect(await marked(row, plainTokenizer)).toBe('<|bos|>hi[ yo<|im_end|>]');
  });

  test('of a single token the end is learned, which it predicts', async () => {
    const tokenizer = byteLevelTokenizer({ chatTemplate: null });
    expect(await marked({ text: 'x' }, tokenizer)).toBe('x[<|im_end|>]');
    expect(await marked({ prompt: '', completion: 'x' }, tokenizer)).toBe('x[<|im_end|>]');
  });

  test('with one: a user and an assistant turn, the end of the turn learned', async () => {
    expect(await marked(row, chatTokenizer)).toBe(`${shown}[ yo<|im_end|>]`);
    expect(await marked(row, chatTokenizer, { apply_chat_template: false })).toBe(
      'hi[ yo<|im_end|>]',
    );
  });

  test('templates of the user are left as they are unless told otherwise', async () => {
    const templates = { prompt_template: 'Q: {prompt}\n', completion_template: '{completion}' };
    expect(await marked(row, chatTokenizer, templates)).toBe('Q: hi\n[ yo<|im_end|>]');
    expect(await marked(row, chatTokenizer, { ...templates, apply_chat_template: true })).toContain(
      '<|im_start|>user\nQ: hi\n<|im_end|>',
    );
  });

  test('special tokens that the row brings are not doubled', async () => {
    const own = { prompt: '<|bos|>hi', completion: 'yo<|im_end|>\n' };
    expect(await marked(own, plainTokenizer)).toBe('<|bos|>hi[yo<|im_end|>]');
  });

  test('completion_only_loss: false learns everything that something precedes', async () => {
    expect(await marked(row, plainTokenizer, { completion_only_loss: false })).toBe(
      '<|bos|>[hi yo<|im_end|>]',
    );
    const all = await marked(row, chatTokenizer, { completion_only_loss: false });
    expect(all).toBe('<|im_start|>[user\nhi<|im_end|>\n<|im_start|>assistant\n yo<|im_end|>]');
  });

  test('the prompt has the tokens that it has at inference', async () => {
    const tokenizer = loadTokenizer(sentencePieceFiles(), NO_IDS);
    const file = await write('sp.jsonl', jsonl({ prompt: 'hi', completion: 'hi you' }));
    const { examples } = await loadDataset([file], tokenizer, dataOptions());
    expect([...examples[0]!.inputIds]).toEqual([1, 267, 266, 270, 2]);
    expect([...examples[0]!.supervised]).toEqual([0, 0, 1, 1, 1]);
    expect(tokenizer.encode('hi', { addSpecialTokens: true })).toEqual([1, 267]);
  });
});

test('text is learned whole, with its end', async () => {
  expect(await marked({ text: 'hi\n' }, plainTokenizer)).toBe('<|bos|>[hi\n<|im_end|>]');
  expect(await marked({ text: 'hi' }, chatTokenizer)).toBe('h[i<|im_end|>]');
});

describe('conversations', () => {
  test('every answer with its end token, nothing of the others, and no tail', async () => {
    const messages = [
      turn('system', 's'),
      turn('user', 'u1'),
      turn('assistant', 'a1'),
      turn('user', 'u2'),
      turn('assistant', 'a2'),
      turn('user', 'u3'),
    ];
    expect(await marked({ messages }, chatTokenizer)).toBe(
      '<|im_start|>system\ns<|im_end|>\n<|im_start|>user\nu1<|im_end|>\n<|im_start|>assistant\n[a1<|im_end|>]\n<|im_start|>user\nu2<|im_end|>\n<|im_start|>assistant\n[a2<|im_end|>]',
    );
  });

  test('answers of weight 0 are only read', async () => {
    const messages = [
      turn('user', 'hi'),
      { ...turn('assistant', 'bad'), weight: 0 },
      turn('user', 'u'),
      turn('assistant', 'good'),
    ];
    expect(await marked({ messages }, chatTokenizer)).toMatch(
      /\nbad<\|im_end\|>\n[^[]*\[good<\|im_end\|>\]$/,
    );
  });

  test('calls of tools are answers too', async () => {
    const tokenizer = byteLevelTokenizer({
      chatTemplate:
        '{% for m in messages %}{{ m.role }}:{{ m.content or m.tool_calls[0].function.name }}<|im_end|>{% endfor %}{% if add_generation_prompt %}assistant:{% endif %}',
    });
    const call = { role: 'assistant', content: '', tool_calls: [{ name: 'search' }] };
    expect(await marked({ messages: [turn('user', 'hi'), call] }, tokenizer)).toBe(
      'user:hi<|im_end|>assistant:[search<|im_end|>]',
    );
  });

  test('conversations in which every answer has weight 0 are never learned', async () => {
    const messages = [turn('user', 'hi'), { ...turn('assistant', 'bad'), weight: 0 }];
    await expect(marked({ messages }, chatTokenizer)).rejects.toMatchObject({
      code: 'data.no_supervision',
      message: expect.stringMatching(
        /row\.jsonl:1: the conversation has no assistant turn to learn/,
      ),
    });
  });

  test('a template with BOS in it: BOS once', async () => {
    const tokenizer = byteLevelTokenizer({
      tokenizerConfig: { bos_token: '<|bos|>', eos_token: '<|im_end|>', add_bos_token: true },
      chatTemplate:
        "{{ bos_token }}{% for m in messages %}[{{ m.role }}] {{ m.content }}{% if m.role == 'assistant' %}{{ eos_token }}{% endif %}{% endfor %}{% if add_generation_prompt %}[assistant] {% endif %}",
    });
    expect(await marked({ prompt: 'hi', completion: 'yo' }, tokenizer)).toBe(
      '<|bos|>[user] hi[assistant] [yo<|im_end|>]',
    );
  });

  test('a template without end tokens: EOS is added, so that the model learns to stop', async () => {
    const tokenizer = byteLevelTokenizer({
      chatTemplate:
        '{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}{% if add_generation_prompt %}assistant: {% endif %}',
    });
    expect(await marked({ prompt: 'hi', completion: 'yo' }, tokenizer)).toBe(
      'user: hi\nassistant: [yo\n<|im_end|>]',
    );
  });

  test('an end-of-turn token that does not stop generation is followed by one that does', async () => {
    const tokenizer = byteLevelTokenizer({ tokenizerConfig: { eos_token: '<|pad|>' } });
    expect(await marked({ prompt: 'hi', completion: 'yo' }, tokenizer)).toBe(
      `${shown}[yo<|im_end|><|pad|>]`,
    );
  });

  test('a template that rewrites past answers: the last one in its real context, and a note', async () => {
    const tokenizer = byteLevelTokenizer({
      chatTemplate:
        "{% for m in messages %}<|im_start|>{{ m.role }}\n{% if m.role == 'assistant' and loop.last %}<think></think>{% endif %}{{ m.content }}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}",
    });
    const messages = [
      turn('user', 'u'),
      turn('assistant', 'a'),
      turn('user', 'v'),
      turn('assistant', 'b'),
    ];
    expect(await marked({ messages }, tokenizer)).toBe(
      '<|im_start|>user\nu<|im_end|>\n<|im_start|>assistant\na<|im_end|>\n<|im_start|>user\nv<|im_end|>\n<|im_start|>assistant\n[<think></think>b<|im_end|>]',
    );
    const file = await write(
      'think.jsonl',
      jsonl({ messages }, { messages: messages.slice(0, 2) }),
    );
    const { report } = await loadDataset([file], tokenizer, dataOptions());
    expect(report.lastTurnOnly).toMatchObject({ count: 1, first: [{ file, line: 1 }] });
  });

  test('a generation prompt that no answer begins with is refused, row by row', async () => {
    const tokenizer = byteLevelTokenizer({
      chatTemplate:
        '{% for m in messages %}{{ m.role }}: {{ m.content }}<|im_end|>{% endfor %}{% if add_generation_prompt %}assistant: <think>{% endif %}',
    });
    await expect(marked({ prompt: 'hi', completion: 'yo' }, tokenizer)).rejects.toMatchObject({
      code: 'data.chat_template',
      message: expect.stringMatching(
        /row\.jsonl:1: the model's chat template does not write an answer/,
      ),
    });
  });
});

describe('truncation', () => {
  test('keeps the head, and the end token only when it is reached', async () => {
    const row = { prompt: 'abc', completion: 'def' };
    expect(await marked(row, plainTokenizer, { max_length: 8 })).toBe('<|bos|>abc[def<|im_end|>]');
    expect(await marked(row, plainTokenizer, { max_length: 7 })).toBe('<|bos|>abc[def]');
    expect(await marked(row, plainTokenizer, { max_length: 5 })).toBe('<|bos|>abc[d]');
  });

  test('a conversation cut inside a question keeps what was learned before', async () => {
    const messages = [
      turn('user', 'hi'),
      turn('assistant', 'yo'),
      turn('user', 'x'.repeat(500)),
      turn('assistant', 'lost'),
    ];
    const file = await write('cut.jsonl', jsonl({ messages }, { messages: messages.slice(0, 3) }));
    const options = dataOptions({ max_length: 100 });
    const { examples, report } = await loadDataset([file], chatTokenizer, options);
    expect(report.truncated).toMatchObject({ count: 1, first: [{ file, line: 1 }] });
    const text = examples.map((example) =>
      chatTokenizer.decode([...example.inputIds], { skipSpecialTokens: false }),
    );
    expect(text).toEqual([`${shown}yo<|im_end|>`, `${shown}yo<|im_end|>`]);
  });

  test('of a giant row only the head is tokenized', async () => {
    const tokenizer = byteLevelTokenizer();
    const encode = vi.spyOn(tokenizer, 'encodeContinuation');
    const row = { prompt: 'q', completion: 'word '.repeat(1_000_000) };
    const file = await write('giant.jsonl', jsonl(row));
    const { examples } = await loadDataset([file], tokenizer, dataOptions({ max_length: 64 }));
    expect(examples[0]).toMatchObject({ truncated: true });
    expect(examples[0]!.inputIds).toHaveLength(64);
    expect(Math.max(...encode.mock.calls.map(([text]) => text.length))).toBeLessThan(1000);
  });
});

test('properties: what is learned is the completion and its end, whatever the lengths', async () => {
  const random = new Random(5);
  const word = (length: number): string =>
    Array.from({ length }, () => 'abcé漢 \n😀'.at(random.below(7)) ?? '').join('');
  const rows = Array.from({ length: 60 }, () => ({
    prompt: word(random.below(30)),
    completion: `x${word(random.below(30))}`,
  }));
  const file = await write('random.jsonl', jsonl(...rows));
  for (const tokenizer of [chatTokenizer, plainTokenizer]) {
    for (const max_length of [24, 48, 1024]) {
      const options = dataOptions({ max_length });
      const { examples, report } = await loadDataset([file], tokenizer, options);
      expect(report.used + report.neverSupervised.count).toBe(rows.length);
      for (const { inputIds, supervised, truncated, line } of examples) {
        const { completion } = rows[line - 1]!;
        const learned = [...inputIds].filter((_, index) => supervised[index] === 1);
        const target = [
          ...tokenizer.encode(completion, { addSpecialTokens: false }),
          tokenizer.eosId,
        ];
        expect(inputIds.length).toBeLessThanOrEqual(max_length);
        expect(supervised).toHaveLength(inputIds.length);
        expect(supervised[0]).toBe(0);
        expect(learned).toEqual(target.slice(0, learned.length));
        expect(learned.length < target.length).toBe(truncated);
        // The mask is one run that reaches to the end.
        expect(supervised.lastIndexOf(0)).toBe(inputIds.length - learned.length - 1);
      }
    }
  }
});
