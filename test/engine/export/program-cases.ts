import { execFileSync } from 'node:child_process';
import { expect } from 'vitest';
import type { DecoderConfig } from '../../../engine/architectures/decoder-config.ts';
import { longTextLength } from '../../../engine/architectures/rotary-embedding.ts';
import { goldenTensors } from '../../support/golden.ts';
import { goldenModel } from '../generate/golden-model.ts';

/** What a program continues. */
export interface Task {
  /** What was exported: a folder, or a file. */
  readonly folder: string;
  /** An adapter beside it, as a folder or a file. */
  readonly adapter?: string;
  readonly prompt: readonly number[];
  readonly count: number;
}

/** A task, and what has to be answered. */
export interface ProgramCase {
  readonly name: string;
  readonly task: Task;
  readonly expected: readonly number[];
}

/** Where a greedy text begins. */
export const PROMPT_LENGTH = 6;

/**
 * A task of a golden model, and what transformers answers.
 *
 * @param place what a model of `golden/models` was exported to
 */
export async function goldenCase(name: string, place: string): Promise<ProgramCase> {
  const golden = await goldenTensors('models', name, 'golden.safetensors');
  const greedy = Array.from(golden.get('greedy')!.data, Number);
  const { config } = await goldenModel(name);
  return { name, ...continuation(config, greedy, { folder: place }) };
}

/**
 * A text that was made by a model, as a task for a program.
 *
 * @param greedy a prompt of {@link PROMPT_LENGTH} tokens, and the likeliest after it
 */
export function continuation(
  config: DecoderConfig,
  greedy: readonly number[],
  places: Pick<Task, 'folder' | 'adapter'>,
): Pick<ProgramCase, 'task' | 'expected'> {
  const prompt = greedy.slice(0, PROMPT_LENGTH);
  // A text that becomes long meanwhile is read again there, which these programs do for few models.
  const long = longTextLength(config);
  const isLongBefore = long === null || prompt.length >= long;
  const tokens = greedy.slice(prompt.length, isLongBefore ? undefined : long);
  const end = tokens.findIndex((token) => config.eosTokenIds.includes(token));
  return {
    task: { ...places, prompt, count: tokens.length },
    expected: end < 0 ? tokens : tokens.slice(0, end + 1),
  };
}

/** Has a program answer all tasks and compares its answers with those that are known. */
export function compare(
  program: string,
  args: readonly string[],
  known: readonly ProgramCase[],
): void {
  const input = JSON.stringify(known.map(({ task }) => task));
  const printed = execFileSync(program, args, { input, encoding: 'utf8' });
  const answers = JSON.parse(printed.trim().split('\n').at(-1)!) as number[][];
  const named = (tokens: (index: number) => readonly number[]) =>
    Object.fromEntries(known.map(({ name }, index) => [name, tokens(index)]));
  expect(named((index) => answers[index]!)).toEqual(named((index) => known[index]!.expected));
}
