import { LorafaError } from '../errors.ts';

/** How a text is continued: fields of transformers' GenerationConfig, with their names and meaning. */
export interface GenerationOptions {
  /** Tokens to generate at most, the end token included. */
  readonly max_new_tokens: number;
  /** Divides the logits; 0 always takes the likeliest token. */
  readonly temperature: number;
  /** Only the `top_k` likeliest tokens can come; 0 allows all. */
  readonly top_k: number;
  /** Only the likeliest tokens that together reach this probability can come; 1 allows all. */
  readonly top_p: number;
  /** Above 1, tokens that the text holds already become less likely (arXiv 1909.05858); 1 is off. */
  readonly repetition_penalty: number;
  /** The same seed draws the same tokens. */
  readonly seed: number;
  /** Texts at which generation ends; they are not part of the result. */
  readonly stop: readonly string[];
}

/** Options as a caller gives them: what is left out has its default. */
export type GivenGenerationOptions = {
  readonly [K in keyof GenerationOptions]?: GenerationOptions[K] | undefined;
};

/** Greedy and repeatable. */
export const DEFAULT_GENERATION_OPTIONS: GenerationOptions = {
  max_new_tokens: 256,
  temperature: 0,
  top_k: 0,
  top_p: 1,
  repetition_penalty: 1,
  seed: 0,
  stop: [],
};

type Rules = {
  readonly [K in keyof GenerationOptions]: readonly [
    isValid: (value: GenerationOptions[K]) => boolean,
    expectation: string,
  ];
};

const RULES: Rules = {
  max_new_tokens: [(n) => Number.isSafeInteger(n) && n >= 1, 'a whole number of at least 1'],
  temperature: [(n) => Number.isFinite(n) && n >= 0, 'a number of at least 0'],
  top_k: [(n) => Number.isSafeInteger(n) && n >= 0, 'a whole number of at least 0'],
  top_p: [(n) => n > 0 && n <= 1, 'a number above 0 and at most 1'],
  repetition_penalty: [(n) => Number.isFinite(n) && n > 0, 'a number above 0'],
  seed: [(n) => Number.isSafeInteger(n) && n >= 0, 'a whole number of at least 0'],
  stop: [(texts) => texts.every((text) => text !== ''), 'a list of texts that are not empty'],
};

/**
 * Options with defaults filled in.
 *
 * @throws LorafaError `usage.invalid` naming the option that is out of its range.
 */
export function resolveGenerationOptions(given: GivenGenerationOptions): GenerationOptions {
  return {
    max_new_tokens: pick(given, 'max_new_tokens'),
    temperature: pick(given, 'temperature'),
    top_k: pick(given, 'top_k'),
    top_p: pick(given, 'top_p'),
    repetition_penalty: pick(given, 'repetition_penalty'),
    seed: pick(given, 'seed'),
    stop: pick(given, 'stop'),
  };
}

function pick<K extends keyof GenerationOptions>(
  given: GivenGenerationOptions,
  name: K,
): GenerationOptions[K] {
  const value = given[name] ?? DEFAULT_GENERATION_OPTIONS[name];
  const [isValid, expectation] = RULES[name];
  if (isValid(value)) return value;
  throw new LorafaError(
    'usage.invalid',
    `The generation option ${name} is ${JSON.stringify(value)} and must be ${expectation}.`,
  );
}
