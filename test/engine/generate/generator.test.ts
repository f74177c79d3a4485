import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { linearModules } from '../../../engine/architectures/linear-modules.ts';
import type { GivenGenerationOptions } from '../../../engine/generate/generation-options.ts';
import type { RuntimeAdapter } from '../../../engine/generate/generation-sessions.ts';
import {
  type GeneratedPiece,
  openGenerator,
  type TextGenerator,
} from '../../../engine/generate/generator.ts';
import type { JsonObject } from '../../../engine/json-file.ts';
import { initAdapter } from '../../../engine/lora/init-adapter.ts';
import { loraBName } from '../../../engine/lora/lora-module.ts';
import { Random } from '../../../engine/random.ts';
import { loadTokenizer, type Tokenizer } from '../../../engine/tokenizer/tokenizer.ts';
import {
  byteLevelFiles,
  byteLevelTokenizer,
  NO_IDS,
  sentencePieceFiles,
} from '../tokenizer/tiny-tokenizer.ts';
import { type GoldenModel, goldenModel, range } from './golden-model.ts';

/** The vocabulary of the model, 0 to 127, is ASCII for this tokenizer. */
const PROMPT = { text: 'It begins: ' };

let model: GoldenModel;
let tokenizer: Tokenizer;
let generator: TextGenerator;

beforeAll(async () => {
  model = await goldenModel('llama3-gqa');
  tokenizer = byteLevelTokenizer();
  generator = await openGenerator(model, tokenizer, { threads: 1 });
});

afterAll(() => generator.release());

/** An adapter of all linear layers that changes the logits a lot. */
function strongAdapter(r: number, seed: number): RuntimeAdapter {
  const modules = linearModules(model.config).map((module) => ({
    ...module,
    r,
    loraAlpha: r,
    scaling: 1,
  }));
  const weights = new Map(initAdapter(modules, seed));
  const random = new Random(seed, 99);
  for (const module of modules)
    weights.get(loraBName(module.name))!.forEach((_, i, b) => {
      b[i] = random.normal();
    });
  return { modules, weights };
}

async function pieces(
  options: GivenGenerationOptions,
  signal?: AbortSignal,
): Promise<GeneratedPiece[]> {
  const all: GeneratedPiece[] = [];
  for await (const piece of generator.generate(PROMPT, options, { signal })) all.push(piece);
  return all;
}

describe('a text is continued', () => {
  test('greedily, always the same, until max_new_tokens', async () => {
    const first = await generator.complete(PROMPT, { max_new_tokens: 20 });
    expect(first.tokenIds).toHaveLength(20);
    expect(first.finishReason).toBe('length');
    expect(first.promptTokens).toBe(PROMPT.text.length);
    expect(first.text).toBe(tokenizer.decode(first.tokenIds, { skipSpecialTokens: true }));
    expect(await generator.complete(PROMPT, { max_new_tokens: 20 })).toEqual(first);
  });

  test('as the tokens of the text and as the stream of pieces do', async () => {
    const { text, tokenIds } = await generator.complete(PROMPT, { max_new_tokens: 10 });
    const ids = tokenizer.encode(PROMPT.text, { addSpecialTokens: true });
    expect((await generator.complete({ ids }, { max_new_tokens: 10 })).tokenIds).toEqual(tokenIds);
    const streamed = await pieces({ max_new_tokens: 10 });
    expect(streamed.map((piece) => piece.token)).toEqual(tokenIds);
    expect(streamed.map((piece) => piece.text).join('')).toBe(text);
  });

  test('with samples that depend on the seed', async () => {
    const sample = async (seed: number): Promise<string> =>
      (await generator.complete(PROMPT, { max_new_tokens: 20, temperature: 1, top_p: 0.9, seed }))
        .text;
    expect(await sample(1)).toBe(await sample(1));
    expect(await sample(1)).not.toBe(await sample(2));
  });

  test('without repetitions under a huge penalty, of the prompt nor of what was generated', async () => {
    const { tokenIds } = await generator.complete(PROMPT, {
      max_new_tokens: 20,
      repetition_penalty: 1e6,
    });
    const prompt = tokenizer.encode(PROMPT.text, { addSpecialTokens: true });
    const distinct = new Set([...prompt, ...tokenIds]);
    expect(distinct.size).toBe(new Set(prompt).size + 20);
  });

  test('in a conversation, through the chat template', async () => {
    const templated = loadTokenizer(
      byteLevelFiles({ chatTemplate: '{% for m in messages %}{{ m.content }}{% endfor %}> ' }),
      NO_IDS,
    );
    const chat = await openGenerator(model, templated, { threads: 1 });
    const messages = [{ role: 'user', content: 'Hi' }];
    const answer = await chat.complete({ messages }, { max_new_tokens: 5 });
    expect(answer).toEqual(await generator.complete({ text: 'Hi> ' }, { max_new_tokens: 5 }));
    await chat.release();
  });
});

test('a SentencePiece model keeps the space of the first word where a text goes on', async () => {
  const files = sentencePieceFiles({ chatTemplate: 'hi' });
  // Nearly all that the model can generate is a space and a letter.
  const words = range(121).map((i) => `▁${String.fromCodePoint(0x100 + i)}`);
  const tokens = ['<unk>', '<s>', '</s>', 'h', 'i', '\n', '▁', ...words];
  const vocab = Object.fromEntries(tokens.map((token, id) => [token, id]));
  const bpe = { ...(files.tokenizerJson['model'] as JsonObject), vocab, merges: [] };
  const tokenizerJson = { ...files.tokenizerJson, model: bpe };
  const spm = await openGenerator(model, loadTokenizer({ ...files, tokenizerJson }, NO_IDS), {
    threads: 1,
  });
  const textOf = (ids: readonly number[]): string =>
    ids.map((id) => tokens[id]!.replace('▁', ' ')).join('');
  const goesOn = await spm.complete({ ids: [50] }, { max_new_tokens: 3 });
  expect(goesOn.text).toBe(textOf(goesOn.tokenIds));
  expect(goesOn.text).toMatch(/^ /);
  const messages = [{ role: 'user', content: 'hi' }];
  const answer = await spm.complete({ messages }, { max_new_tokens: 3 });
  expect(answer.text).toBe(textOf(answer.tokenIds).replace(/^ /, ''));
  await spm.release();
});

describe('it ends', () => {
  test('at an end token, which has no text', async () => {
    const { tokenIds } = await generator.complete(PROMPT, { max_new_tokens: 20 });
    const end = tokenIds[7]!;
    const before = tokenIds.slice(0, tokenIds.indexOf(end));
    const withEnd = loadTokenizer(byteLevelFiles(), { ...NO_IDS, eosTokenIds: [end] });
    const other = await openGenerator(model, withEnd, { threads: 1 });
    const result = await other.complete(PROMPT, { max_new_tokens: 20 });
    expect(result.finishReason).toBe('stop');
    expect(result.tokenIds).toEqual([...before, end]);
    expect(result.text).toBe(tokenizer.decode(before, { skipSpecialTokens: true }));
    await other.release();
  });

  test('before a stop string, of which nothing is shown', async () => {
    const { text } = await generator.complete(PROMPT, { max_new_tokens: 20 });
    const stop = text.slice(5, 9);
    const seen: string[] = [];
    const result = await generator.complete(
      PROMPT,
      { max_new_tokens: 20, stop: [stop, 'never comes'] },
      { onToken: (piece) => seen.push(piece.text) },
    );
    expect(result.finishReason).toBe('stop_string');
    expect(result.text).toBe(text.slice(0, text.indexOf(stop)));
    expect(seen.join('')).toBe(result.text);
  });

  test('with what was held back when no stop string came of it', async () => {
    const { text } = await generator.complete(PROMPT, { max_new_tokens: 10 });
    const result = await generator.complete(PROMPT, { max_new_tokens: 10, stop: [`${text}!`] });
    expect(result).toMatchObject({ text, finishReason: 'length' });
  });

  test('when it is aborted', async () => {
    const controller = new AbortController();
    const result = await generator.complete(
      PROMPT,
      { max_new_tokens: 50 },
      {
        signal: controller.signal,
        onToken: ({ token }) => void (token >= 0 && controller.abort()),
      },
    );
    expect(result.finishReason).toBe('abort');
    expect(result.tokenIds).toHaveLength(1);
    expect(await pieces({}, AbortSignal.abort())).toEqual([]);
  });

  test('when an event aborts it while it computes', async () => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 20);
    const options = { max_new_tokens: 490 };
    const result = await generator.complete(PROMPT, options, { signal: controller.signal });
    expect(result.finishReason).toBe('abort');
  });

  test("at the end of the model's context", async () => {
    const ids = range(model.config.maxPositionEmbeddings - 2);
    const prompt = { ids: ids.map((id) => id % 100) };
    const result = await generator.complete(prompt, { max_new_tokens: 50 });
    expect(result.finishReason).toBe('length');
    expect(result.tokenIds).toHaveLength(3);
  });
});

describe('adapters', () => {
  test('change the output, and without them it is the old one', async () => {
    const run = async (adapter: RuntimeAdapter | null): Promise<readonly number[]> =>
      (await generator.complete(PROMPT, { max_new_tokens: 20 }, { adapter })).tokenIds;
    const [first, sameStructure, otherRank] = [
      strongAdapter(4, 1),
      strongAdapter(4, 2),
      strongAdapter(2, 3),
    ];
    const base = await run(null);
    const adapted = await run(first);
    expect(adapted).not.toEqual(base);
    expect(await run(sameStructure)).not.toEqual(adapted);
    expect(await run(otherRank)).not.toEqual(adapted);
    expect(await run(first)).toEqual(adapted);
    expect(await run(null)).toEqual(base);
  });

  test('take turns in generations that go on at the same time', async () => {
    const options = { max_new_tokens: 15 };
    const adapter = strongAdapter(4, 1);
    const apart = [
      await generator.complete(PROMPT, options),
      await generator.complete(PROMPT, options, { adapter }),
    ];
    const together = await Promise.all([
      generator.complete(PROMPT, options),
      generator.complete(PROMPT, options, { adapter }),
    ]);
    expect(together).toEqual(apart);
  });
});

describe('what cannot work is refused', () => {
  test.each([
    [{ max_new_tokens: 0 }, /max_new_tokens is 0 and must be a whole number of at least 1/],
    [{ temperature: -1 }, /temperature/],
    [{ temperature: Number.NaN }, /temperature/],
    [{ top_k: 1.5 }, /top_k/],
    [{ top_p: 0 }, /top_p/],
    [{ repetition_penalty: 0 }, /repetition_penalty/],
    [{ seed: -1 }, /seed/],
    [{ stop: [''] }, /stop/],
  ])('%j', async (options, message) => {
    await expect(generator.complete(PROMPT, options)).rejects.toMatchObject({
      code: 'usage.invalid',
      message: expect.stringMatching(message),
    });
  });

  test.each([
    [{ text: '' }, /no tokens/],
    [{ text: 'x'.repeat(513) }, /has 513 tokens, but the model reads at most 512/],
    [{ ids: [5, 128] }, /token 128, but the model has only the tokens 0 to 127/],
    [{ ids: [-1] }, /token -1/],
  ])('%j', async (prompt, message) => {
    await expect(generator.complete(prompt)).rejects.toMatchObject({
      code: 'usage.invalid',
      message: expect.stringMatching(message),
    });
  });
});
