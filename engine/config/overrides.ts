import { LorafaError } from '../errors.ts';
import { parseJson } from '../json.ts';
import { type ConfigPath, formatPath } from './config-error.ts';

/** A value that replaces the one in the configuration file. */
export interface ConfigOverride {
  readonly path: ConfigPath;
  /** `null` takes the key away, so that its default holds. */
  readonly value: unknown;
  /** The command-line flag as the user wrote it, for messages. */
  readonly flag: string;
  /** Nobody gave it: it is what holds where a flag is left out, and gives way to all others. */
  readonly isDefault?: boolean;
}

/** Two keys that say how long a run is. What a flag says by one of them replaces what the file says by the other. */
const RUN_LENGTH: readonly ConfigPath[] = [
  ['training', 'num_train_epochs'],
  ['training', 'max_steps'],
];

/**
 * Reads the argument of `--set`, e.g. `training.max_steps=10`. The value is read as JSON and, where
 * it is not JSON, taken as a string.
 *
 * @throws LorafaError `usage.invalid` when the argument is not `section.key=value`
 */
export function parseOverride(argument: string): ConfigOverride {
  const match = /^([^=.\s]+)\.([^=.\s]+)(?:\.([^=]+))?=(.*)$/s.exec(argument);
  if (match === null) {
    throw new LorafaError(
      'usage.invalid',
      `--set ${argument}: write it as section.key=value, e.g. --set training.max_steps=10.`,
    );
  }
  const [, section, key, rest, text] = match;
  // What follows a second dot is one key: in `lora.rank_pattern` keys have dots of their own.
  const path = [section!, key!, ...(rest === undefined ? [] : [rest])];
  return { path, value: parseValue(text!), flag: `--set ${argument}` };
}

/** A copy of `root` with the overrides in place; later ones win. */
export function applyOverrides(root: unknown, overrides: readonly ConfigOverride[]): unknown {
  const defaults = overrides.filter(({ isDefault }) => isDefault === true);
  const given = overrides.filter(({ isDefault }) => isDefault !== true);
  return [...defaults, ...withoutOtherLength(given), ...given].reduce(
    (value, { path, value: next }) => withValue(value, path, next),
    root,
  );
}

/** Takes the other key of {@link RUN_LENGTH} away where flags give one; where they give both, both stay. */
function withoutOtherLength(given: readonly ConfigOverride[]): readonly ConfigOverride[] {
  const isSet = (path: ConfigPath): boolean =>
    given.findLast((each) => formatPath(each.path) === formatPath(path))?.value != null;
  const others = RUN_LENGTH.filter((path) => !isSet(path));
  return others.length === 1 ? others.map((path) => ({ path, value: null, flag: '' })) : [];
}

function parseValue(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return text;
  }
}

function withValue(root: unknown, path: ConfigPath, value: unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  // Where the file has something else than an object, it stays and is reported as it stands.
  if (root !== undefined && !isPlainObject(root)) return root;
  const entries = Object.entries(root ?? {});
  const own = entries.find(([name]) => name === String(key))?.[1];
  const others = entries.filter(([name]) => name !== String(key));
  if (rest.length === 0 && value === null) return Object.fromEntries(others);
  return Object.fromEntries([...others, [String(key), withValue(own, rest, value)]]);
}

function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
