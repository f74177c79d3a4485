import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { LorafaError, messageOf } from '../../engine/errors.ts';
import { printText } from './print.ts';

/** Where a prompt may come from; at most one of the two, otherwise standard input. */
export interface PromptFlags {
  readonly prompt?: string;
  readonly promptFile?: string;
}

/**
 * The prompt as text. The line break that ends a file or what was typed is not part of it.
 *
 * @throws LorafaError `usage.invalid` for two sources, or a file that cannot be read
 */
export async function readPrompt(flags: PromptFlags, stdin = process.stdin): Promise<string> {
  const { prompt, promptFile } = flags;
  if (prompt !== undefined && promptFile !== undefined) {
    throw new LorafaError(
      'usage.invalid',
      '--prompt and --prompt-file both give the prompt; keep one of the two.',
    );
  }
  if (prompt !== undefined) return prompt;
  if (promptFile !== undefined) return withoutLastBreak(await readPromptFile(promptFile));
  if (stdin.isTTY) printText(process.stderr, 'Type the prompt, then Ctrl+D on a line of its own.');
  return withoutLastBreak(await text(stdin));
}

async function readPromptFile(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new LorafaError(
      'usage.invalid',
      `The prompt file ${file} cannot be read (${messageOf(error)}); check the path.`,
      { location: { file }, cause: error },
    );
  }
}

function withoutLastBreak(prompt: string): string {
  return prompt.replace(/\r?\n$/, '');
}
