import type { z } from 'zod';
import { type ConfigPath, formatPath } from './config-error.ts';
import { describeExpected, describeValue, overflownLimit } from './expectation.ts';
import { foreignKey } from './foreign-keys.ts';
import { nearestName, nearestNames } from './nearest-name.ts';
import { MAX_PROBLEMS, type PathProblem, type Remedy, setValue } from './path-problem.ts';
import { configJsonSchema, configSchema, type JsonSchemaNode } from './schema.ts';

const jsonSchema = configJsonSchema();

/** What the schema does not allow in `value`: unknown, missing and wrong values; of very many the first. */
export function schemaProblems(value: unknown): readonly PathProblem[] {
  const result = configSchema.safeParse(value);
  const issues = result.error?.issues ?? [];
  return issues.slice(0, MAX_PROBLEMS).flatMap((issue) => toProblems(issue, value));
}

function toProblems(issue: z.core.$ZodIssue, root: unknown): readonly PathProblem[] {
  const path = issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part));
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.slice(0, MAX_PROBLEMS).map((key) => unknownKey(path, key));
  }
  if (issue.code === 'invalid_key') {
    const message = `the key of \`${formatPath(path)}\` is not a name or a valid regular expression`;
    return [{ path, part: 'key', code: 'config.invalid_value', message }];
  }
  const value = valueAt(root, path);
  const message = value === undefined ? describeMissing(path) : describeWrong(path, value);
  const remedies = nearestValue(path, value);
  return [{ path, part: 'value', code: 'config.invalid_value', message, remedies }];
}

/** Of so many keys all are told to somebody who has none of them. */
const FEW = 6;
/** So many are told otherwise, the nearest. */
const NEAREST = 3;

function unknownKey(parent: ConfigPath, key: string): PathProblem {
  const path = [...parent, key];
  const names = Object.keys(schemaAt(parent).properties ?? {});
  const keys = Object.entries(jsonSchema.properties ?? {}).flatMap(([section, { properties }]) =>
    Object.keys(properties ?? {}).map((name) => ({ section, name })),
  );
  const find = (wanted: string | undefined): ConfigPath | undefined => {
    const found = keys.find(({ name }) => name === wanted);
    return found && [found.section, found.name];
  };
  const owner = find(key);
  const foreign = owner === undefined ? foreignKey(key) : undefined;
  const answer = foreign && 'answer' in foreign ? foreign.answer : undefined;
  const renamed = foreign && 'meant' in foreign ? foreign.meant : undefined;
  const near = (all: readonly string[]): string | undefined =>
    foreign === undefined ? nearestName(key, all) : undefined;
  const nearHere = near(names);
  const meant =
    owner ??
    // A set that is mixed in has keys of the section too.
    (renamed && names.includes(renamed[1]) ? [...parent, renamed[1]] : renamed) ??
    (nearHere === undefined ? find(near(keys.map(({ name }) => name))) : [...parent, nearHere]);
  const unknown = `\`${formatPath(path)}\` is not a key`;
  const message =
    owner !== undefined
      ? `\`${key}\` belongs to \`${owner[0]}\``
      : meant !== undefined
        ? `${unknown}; did you mean \`${formatPath(meant)}\`?`
        : `${unknown}; ${answer ?? whatThereIs(parent, key, names)}`;
  const remedies: Remedy[] = [
    ...(meant === undefined ? [] : [{ kind: 'rename' as const, path, to: meant }]),
    { kind: 'remove', path },
  ];
  return { path, part: 'key', code: 'config.unknown_key', message, remedies };
}

/** The keys beside one that is near to none of them: all where they are few. */
function whatThereIs(parent: ConfigPath, key: string, names: readonly string[]): string {
  if (parent.length === 0) return `the sections are ${names.join(', ')}`;
  if (names.length <= FEW) return `the keys here are ${names.join(', ')}`;
  const nearest = nearestNames(key, names).slice(0, NEAREST);
  const rest = names.length - NEAREST;
  return `the nearest here are ${nearest.join(', ')}, and there are ${rest} more`;
}

/** The value that was probably meant by a misspelt one, where there are only so many. */
function nearestValue(path: ConfigPath, value: unknown): readonly Remedy[] {
  if (typeof value !== 'string') return [];
  const near = nearestName(value, allowedTexts(schemaAt(path)));
  return near === undefined ? [] : [setValue(path, near)];
}

function allowedTexts({ enum: values = [], const: only, anyOf = [] }: JsonSchemaNode): string[] {
  const texts = [...values, only].filter((value) => typeof value === 'string');
  return [...texts, ...anyOf.flatMap(allowedTexts)];
}

function describeMissing(path: ConfigPath): string {
  const node = schemaAt(path);
  const needs = node.required?.map((name) => `\`${name}\``).join(' and ');
  return needs === undefined
    ? `\`${formatPath(path)}\` is missing; it must be ${describeExpected(node)}`
    : `the section \`${formatPath(path)}\` is missing; it must at least hold ${needs}`;
}

function describeWrong(path: ConfigPath, value: unknown): string {
  const name = path.length === 0 ? 'a run configuration' : `\`${formatPath(path)}\``;
  const limit = overflownLimit(schemaAt(path), value);
  if (limit !== undefined) {
    return `${name} is a number beyond ${limit}; it must be ${describeExpected(schemaAt(path))}`;
  }
  return `${name} must be ${describeExpected(schemaAt(path))}, not ${describeValue(value)}`;
}

/** The schema of the value at `path`, as far as the schema goes. */
function schemaAt(path: ConfigPath): JsonSchemaNode {
  let node = jsonSchema;
  for (const part of path) {
    const fallback = node.additionalProperties;
    const child = typeof part === 'number' ? node.items : node.properties?.[part];
    node = child ?? (typeof fallback === 'object' ? fallback : {});
  }
  return node;
}

function valueAt(root: unknown, path: ConfigPath): unknown {
  let value = root;
  for (const part of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Record<string | number, unknown>)[part];
  }
  return value;
}
