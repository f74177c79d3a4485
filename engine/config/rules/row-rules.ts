import { type ConfigPath, formatPath } from '../config-error.ts';
import { type Given, member } from '../given.ts';
import type { PathProblem } from '../path-problem.ts';
import { problem, type Rule } from './rule.ts';

/** Which shape of row each key speaks of. */
const SHAPE_OF_KEY: Readonly<Record<string, string>> = {
  text_column: 'text',
  prompt_column: 'prompt_completion',
  completion_column: 'prompt_completion',
  messages_column: 'messages',
  prompt_template: 'template',
  completion_template: 'template',
};

/** What a person wrote for the keys of one set of rows, and where these keys are. */
interface GivenRows {
  readonly path: ConfigPath;
  readonly get: (key: string) => unknown;
}

/** All keys that describe rows describe the same shape. */
export const rowShapeRule: Rule = (given) => rowShapeProblems(rowsOfData(given));

/** A template always says what is learned. */
export const templateRule: Rule = (given) => templateProblems(rowsOfData(given));

/** Sets that are mixed in describe their rows in the same way. */
export const mixRule: Rule = (given) => {
  const mix = given('data', 'mix');
  if (!Array.isArray(mix)) return [];
  return mix.flatMap((set: unknown, index) => {
    const rows: GivenRows = { path: ['data', 'mix', index], get: (key) => member(set, key) };
    return [...rowShapeProblems(rows), ...templateProblems(rows)];
  });
};

function rowsOfData(given: Given): GivenRows {
  return { path: ['data'], get: (key) => given('data', key) };
}

function rowShapeProblems({ path, get }: GivenRows): readonly PathProblem[] {
  const format = get('format');
  const name = (key: string): string => `\`${formatPath([...path, key])}\``;
  const keys = Object.keys(SHAPE_OF_KEY).filter((key) => get(key) !== undefined);
  if (typeof format === 'string' && format !== 'auto') {
    return keys
      .filter((key) => SHAPE_OF_KEY[key] !== format)
      .map((key) =>
        problem(
          [...path, key],
          `${name(key)} has no effect with format "${format}"; remove it or set ${name('format')} to "${SHAPE_OF_KEY[key]}"`,
        ),
      );
  }
  const [first, ...others] = keys;
  return others
    .filter((key) => SHAPE_OF_KEY[key] !== SHAPE_OF_KEY[first!])
    .map((key) =>
      problem(
        [...path, key],
        `${name(key)} and ${name(first!)} speak of rows of different shapes; remove one of the two`,
      ),
    );
}

function templateProblems({ path, get }: GivenRows): readonly PathProblem[] {
  if (get('completion_template') !== undefined) return [];
  const needed = `\`${formatPath([...path, 'completion_template'])}\``;
  if (get('prompt_template') !== undefined) {
    const place = [...path, 'prompt_template'];
    return [problem(place, `\`${formatPath(place)}\` needs ${needed} beside it, e.g. "{answer}"`)];
  }
  return get('format') === 'template'
    ? [problem([...path, 'format'], `format "template" needs ${needed}, e.g. "{answer}"`)]
    : [];
}
