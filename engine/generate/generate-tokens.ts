import type { DecoderConfig } from '../architectures/decoder-config.ts';
import { LorafaError } from '../errors.ts';
import { Random } from '../random.ts';
import type { GenerationOptions } from './generation-options.ts';
import { inChunks } from './generation-runs.ts';
import { sampleToken } from './sample-token.ts';
import type { Sequence } from './sequence.ts';

/** What the random numbers of this module are for, apart from all other uses of a seed. */
const SAMPLING_STREAM = 0x73616d70;

/** One generated token. */
export interface GeneratedToken {
  readonly token: number;
  /** Why it is the last one, or null. */
  readonly finishReason: 'stop' | 'length' | null;
}

/** How tokens are generated, text aside. */
export interface GenerateTokensOptions {
  readonly sequence: Sequence;
  readonly config: Pick<DecoderConfig, 'vocabSize' | 'maxPositionEmbeddings'>;
  readonly promptIds: readonly number[];
  readonly sampling: Omit<GenerationOptions, 'stop'>;
  /** The tokens that end a text. */
  readonly eosIds: readonly number[];
  readonly signal?: AbortSignal | undefined;
}

/**
 * Continues a prompt token by token until an end token comes (`stop`) or the limit or the model's
 * context is reached (`length`). The end token is among the tokens. After `signal` is aborted no
 * more tokens come, and none of them is marked as the last.
 *
 * @throws LorafaError `usage.invalid` for a prompt that is empty, too long for the model or not
 * made of its tokens; `device.failed`; `model.not_finite`.
 */
export async function* generateTokens(
  options: GenerateTokensOptions,
): AsyncGenerator<GeneratedToken, void> {
  const { sequence, config, promptIds, sampling, eosIds, signal } = options;
  checkPrompt(promptIds, config);
  const random = new Random(sampling.seed, SAMPLING_STREAM);
  const seen = new Set(promptIds);
  const chunks = inChunks(promptIds);
  for (const chunk of chunks.slice(0, -1)) {
    if (signal?.aborted) return;
    await sequence.append(chunk, [], promptIds.length);
  }
  let logits = await sequence.append(chunks.at(-1)!);
  for (let count = 1; !signal?.aborted; count++) {
    const token = sampleToken(logits, seen, sampling, random);
    const isLast =
      count === sampling.max_new_tokens || sequence.length === config.maxPositionEmbeddings;
    const finishReason = eosIds.includes(token) ? 'stop' : isLast ? 'length' : null;
    yield { token, finishReason };
    if (finishReason !== null || signal?.aborted) return;
    seen.add(token);
    logits = await sequence.append([token]);
  }
}

function checkPrompt(
  promptIds: readonly number[],
  { vocabSize, maxPositionEmbeddings }: GenerateTokensOptions['config'],
): void {
  if (promptIds.length === 0) {
    throw new LorafaError(
      'usage.invalid',
      'The prompt has no tokens; give at least one word to go on from.',
    );
  }
  if (promptIds.length > maxPositionEmbeddings) {
    throw new LorafaError(
      'usage.invalid',
      `The prompt has ${promptIds.length} tokens, but the model reads at most ${maxPositionEmbeddings}; shorten it.`,
    );
  }
  const unknown = promptIds.find((id) => !Number.isInteger(id) || id < 0 || id >= vocabSize);
  if (unknown !== undefined) {
    throw new LorafaError(
      'usage.invalid',
      `The prompt holds the token ${unknown}, but the model has only the tokens 0 to ${vocabSize - 1}; use the tokenizer that belongs to the model.`,
    );
  }
}
