import type { ResolvedConfig } from '../../engine/config/schema.ts';
import { loadDataset } from '../../engine/data/dataset.ts';
import type { TokenizedExample } from '../../engine/data/tokenized-example.ts';
import type { RuntimeAdapter } from '../../engine/generate/generation-sessions.ts';
import type { TextGenerator } from '../../engine/generate/generator.ts';
import type { Tokenizer } from '../../engine/tokenizer/tokenizer.ts';

/** A prompt that was not trained on, and the one right way to go on. */
export interface HeldOutPrompt {
  readonly promptIds: readonly number[];
  /** What the ids say. */
  readonly prompt: string;
  readonly expected: string;
}

/** What a model made of held-out prompts. */
export interface HeldOutResult {
  /** The completions, in the order of the prompts. */
  readonly completions: readonly string[];
  /** How many equal what was expected, character by character. */
  readonly correct: number;
  /** `correct` as a share of all prompts, 0 to 1. */
  readonly accuracy: number;
}

/**
 * The held-out rows of a configuration, cut where learning would have begun.
 *
 * @throws LorafaError as {@link loadDataset}
 */
export async function loadHeldOutPrompts(
  { data }: ResolvedConfig,
  tokenizer: Tokenizer,
): Promise<readonly HeldOutPrompt[]> {
  const paths = [data.eval_dataset_name_or_path ?? []].flat();
  const { examples } = await loadDataset(paths, tokenizer, data);
  return examples.map((example) => heldOutPrompt(example, tokenizer));
}

function heldOutPrompt(
  { inputIds, supervised }: TokenizedExample,
  tokenizer: Tokenizer,
): HeldOutPrompt {
  const start = supervised.indexOf(1);
  const promptIds = [...inputIds.subarray(0, start)];
  const text = (ids: readonly number[]): string =>
    tokenizer.decode(ids, { skipSpecialTokens: true });
  return { promptIds, prompt: text(promptIds), expected: text([...inputIds.subarray(start)]) };
}

/**
 * Lets a model complete every prompt, always taking the likeliest token.
 *
 * @param adapter null for the base model alone
 * @param onProgress called with the number of prompts done
 */
export async function completeHeldOut(
  generator: TextGenerator,
  prompts: readonly HeldOutPrompt[],
  adapter: RuntimeAdapter | null,
  onProgress: (done: number) => void,
): Promise<HeldOutResult> {
  const completions: string[] = [];
  for (const { promptIds } of prompts) {
    const options = { max_new_tokens: MAX_NEW_TOKENS };
    const { text } = await generator.complete({ ids: promptIds }, options, { adapter });
    completions.push(text);
    onProgress(completions.length);
  }
  const correct = prompts.filter(({ expected }, i) => completions[i] === expected).length;
  return { completions, correct, accuracy: correct / prompts.length };
}

/** Longer than any right answer. */
const MAX_NEW_TOKENS = 64;
