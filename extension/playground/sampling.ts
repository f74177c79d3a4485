/** How tokens are drawn, with the names of transformers' GenerationConfig. */
export interface Sampling {
  readonly max_new_tokens: number;
  readonly temperature: number;
  readonly top_k: number;
  readonly top_p: number;
  readonly repetition_penalty: number;
  readonly seed: number;
  readonly stop: readonly string[];
}

/** A number of {@link Sampling}, as a field of a form. */
export interface SamplingField {
  readonly name: Exclude<keyof Sampling, 'stop'>;
  readonly initial: number;
  readonly min: number;
  readonly max?: number;
  readonly step: number;
}

/** The fields in their order; at first the likeliest token is taken, which is repeatable. */
export const SAMPLING_FIELDS: readonly SamplingField[] = [
  { name: 'max_new_tokens', initial: 256, min: 1, step: 1 },
  { name: 'temperature', initial: 0, min: 0, step: 0.05 },
  { name: 'top_p', initial: 1, min: 0.01, max: 1, step: 0.01 },
  { name: 'top_k', initial: 0, min: 0, step: 1 },
  { name: 'repetition_penalty', initial: 1, min: 0.05, step: 0.05 },
  { name: 'seed', initial: 0, min: 0, step: 1 },
];

/** Stop texts, one a line; `\n` and `\t` stand for a line break and a tab, `\\` for a backslash. */
export function parseStops(lines: string): readonly string[] {
  return lines
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.replaceAll(/\\([nt\\])/g, (_, letter: string) => ESCAPES[letter]!));
}

/** Stop texts as {@link parseStops} reads them. */
export function formatStops(stops: readonly string[]): string {
  const escaped = (character: string): string =>
    `\\${Object.keys(ESCAPES).find((letter) => ESCAPES[letter] === character)}`;
  return stops.map((stop) => stop.replaceAll(/[\n\t\\]/g, escaped)).join('\n');
}

/** What is set otherwise than at first, by the names of GenerationConfig: `temperature 0.7`. */
export function changedSampling(sampling: Sampling): readonly string[] {
  const numbers = SAMPLING_FIELDS.filter(({ name, initial }) => sampling[name] !== initial);
  const stops = sampling.stop.map((stop) => `stop ${JSON.stringify(stop)}`);
  return [...numbers.map(({ name }) => `${name} ${sampling[name]}`), ...stops];
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', '\\': '\\' };
