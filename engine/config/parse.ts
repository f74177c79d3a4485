import path from 'node:path';
import { readBoundedFile } from '../bounded-file.ts';
import { LorafaError, messageOf } from '../errors.ts';
import { assertNoProblems, type ConfigPath, type ConfigProblem } from './config-error.ts';
import { contradictions } from './contradictions.ts';
import { type Given, givenIn, member } from './given.ts';
import { type JsoncDocument, readJsonc } from './jsonc-document.ts';
import { MAX_CONFIG_LENGTH } from './jsonc-tree.ts';
import { nearestPath, respelt } from './nearest-path.ts';
import { outputProblem } from './output-problem.ts';
import { applyOverrides, type ConfigOverride } from './overrides.ts';
import { MAX_PROBLEMS, type PathProblem } from './path-problem.ts';
import { resolvePaths } from './resolve-paths.ts';
import { configSchema, type ResolvedConfig } from './schema.ts';
import { schemaProblems } from './schema-problems.ts';

/** A character takes three bytes at most for one UTF-16 unit. */
const MAX_BYTES = 3 * MAX_CONFIG_LENGTH;

/** What {@link checkConfig} found: the configuration, or why there is none. */
export interface CheckedConfig {
  /** Defaults filled in, paths absolute; undefined when there are problems. */
  readonly config: ResolvedConfig | undefined;
  /** In the order of the file, values from flags last; the first of them where there are very many. */
  readonly problems: readonly ConfigProblem[];
  /**
   * The configuration as far as it goes: what is wrong was left out, with its default in its place;
   * undefined where that leaves no configuration. For those who help to write one.
   */
  readonly usable: ResolvedConfig | undefined;
  /** Without defaults: whether a person wrote a value, and which. */
  readonly given: Given;
}

/**
 * Reads a run configuration (JSONC) and finds every problem in it.
 *
 * @param text content of the file
 * @param file its path: its folder is where relative paths start, its name stands in messages
 * @param overrides values that replace the file's
 */
export function checkConfig(
  text: string,
  file: string,
  overrides: readonly ConfigOverride[] = [],
): CheckedConfig {
  const document = readJsonc(text.replace(/^\uFEFF/, ''), file);
  if (document.value === undefined) {
    const { problems } = document;
    return { config: undefined, problems, usable: undefined, given: () => undefined };
  }
  const value = applyOverrides(document.value, overrides);
  const folder = path.dirname(path.resolve(file));
  const mistakes = [...schemaProblems(value), ...contradictions(value)].slice(0, MAX_PROBLEMS);
  const parsed = configSchema.safeParse(without(value, mistakes));
  const usable = parsed.success ? resolvePaths(parsed.data, folder) : undefined;
  const output = usable && outputProblem(usable, file);
  const located = [...mistakes, ...(output === undefined ? [] : [output])].map((each) =>
    locate(each, document, overrides),
  );
  const problems = [...document.problems, ...located].sort(byPosition);
  return {
    config: problems.length === 0 ? usable : undefined,
    problems,
    usable,
    given: givenIn(value),
  };
}

/**
 * Like {@link checkConfig}, for those who can only go on with a good configuration.
 *
 * @throws ConfigError with every problem
 */
export function parseConfig(
  text: string,
  file: string,
  overrides: readonly ConfigOverride[] = [],
): ResolvedConfig {
  const { config, problems } = checkConfig(text, file, overrides);
  assertNoProblems(problems);
  return config!;
}

/**
 * Reads and parses a configuration file.
 *
 * @throws LorafaError `config.not_found`, or `config.syntax` when it is not UTF-8
 * @throws ConfigError with every problem of its content
 */
export async function readConfig(
  file: string,
  overrides: readonly ConfigOverride[] = [],
): Promise<ResolvedConfig> {
  return parseConfig(await readConfigText(file), file, overrides);
}

/**
 * Reads the text of a configuration file.
 *
 * @throws LorafaError `config.not_found`, or `config.syntax` when it is not UTF-8
 */
export async function readConfigText(file: string): Promise<string> {
  const bytes = await readBoundedFile(file, MAX_BYTES).catch(async (error: unknown) => {
    const near = await nearestPath(path.resolve(file), (name) => name.endsWith('.lorafa.json'));
    const advice = near === undefined ? 'check the path.' : `did you mean ${respelt(file, near)}?`;
    throw new LorafaError(
      'config.not_found',
      `${file}: the run configuration cannot be read (${messageOf(error)}); ${advice}`,
      { location: { file }, cause: error },
    );
  });
  return decode(bytes, file);
}

function decode(bytes: Uint8Array, file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw new LorafaError(
      'config.syntax',
      `${file}: the file is not UTF-8 text; save it as UTF-8.`,
      { location: { file }, cause: error },
    );
  }
}

function locate(
  about: PathProblem,
  document: JsoncDocument,
  overrides: readonly ConfigOverride[],
): ConfigProblem {
  const { path: at, part, code, message } = about;
  const override = overrides.findLast((each) => startsWith(at, each.path));
  return override === undefined
    ? { ...document.locate(at, part), code, message, about }
    : { file: override.flag, code, message, about };
}

/** A configuration without the values at the paths of problems. */
function without(value: unknown, problems: readonly PathProblem[]): unknown {
  const copy = structuredClone(value);
  // From the end of a list on, so that the other items keep their places.
  for (const { path: at } of problems.toReversed()) {
    const parent = at.slice(0, -1).reduce<unknown>((node, key) => member(node, String(key)), copy);
    const key = at.at(-1);
    if (Array.isArray(parent) && typeof key === 'number') parent.splice(key, 1);
    else if (typeof parent === 'object' && parent !== null && key !== undefined) {
      Reflect.deleteProperty(parent, key);
    }
  }
  return copy;
}

function startsWith(whole: ConfigPath, start: ConfigPath): boolean {
  return start.every((part, index) => part === whole[index]);
}

function byPosition(a: ConfigProblem, b: ConfigProblem): number {
  const line = (a.line ?? Infinity) - (b.line ?? Infinity);
  return line || (a.column ?? 0) - (b.column ?? 0) || 0;
}
