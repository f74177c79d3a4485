import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { numberOption } from '../../../server/cli/commands/options.ts';
import { generationOptions, toPrompt } from '../../../server/cli/generation-flags.ts';
import { readPrompt } from '../../../server/cli/prompt-input.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'lorafa-prompt-'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('the prompt', () => {
  test('is taken as it stands, from a file without its last line break', async () => {
    expect(await readPrompt({ prompt: 'a\n' })).toBe('a\n');
    const promptFile = path.join(folder, 'prompt.txt');
    await writeFile(promptFile, 'one\ntwo\n\r\n');
    expect(await readPrompt({ promptFile })).toBe('one\ntwo\n');
  });

  test('comes from one place', async () => {
    await expect(readPrompt({ prompt: 'a', promptFile: 'b' })).rejects.toMatchObject({
      code: 'usage.invalid',
      message: '--prompt and --prompt-file both give the prompt; keep one of the two.',
    });
  });

  test('cannot come from a file that is not there', async () => {
    const promptFile = path.join(folder, 'missing.txt');
    await expect(readPrompt({ promptFile })).rejects.toMatchObject({
      code: 'usage.invalid',
      message: expect.stringContaining(promptFile) as unknown,
    });
  });

  test('is a turn where the model has a template, unless a flag says otherwise', () => {
    const turn = { messages: [{ role: 'user', content: 'hi' }] };
    expect(toPrompt('hi', true, {})).toEqual(turn);
    expect(toPrompt('hi', false, {})).toEqual({ text: 'hi' });
    expect(toPrompt('hi', true, { raw: true })).toEqual({ text: 'hi' });
    expect(toPrompt('hi', false, { chat: true })).toEqual(turn);
    expect(() => toPrompt('hi', true, { chat: true, raw: true })).toThrow('exclude each other');
  });
});

test('flags have the names of the engine', () => {
  const flags = {
    maxNewTokens: 1,
    temperature: 2,
    topP: 3,
    topK: 4,
    repetitionPenalty: 5,
    seed: 6,
    stop: ['x'],
  };
  expect(generationOptions(flags)).toEqual({
    max_new_tokens: 1,
    temperature: 2,
    top_p: 3,
    top_k: 4,
    repetition_penalty: 5,
    seed: 6,
    stop: ['x'],
  });
});

test.each(['', ' ', 'x', '1x', 'Infinity', 'NaN', '-1', '1.5'])('%j is no count', (text) => {
  const parse = numberOption({ min: 0, integer: true }, 'a whole number of at least 0');
  expect(() => parse(text)).toThrow('It must be a whole number of at least 0.');
  expect(parse('1e3')).toBe(1000);
});
