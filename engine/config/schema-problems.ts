import type { z } from 'zod';
import { type ConfigPath, formatPath } from './config-error.ts';
import { describeExpected, describeValue, overflownLimit } from './expectation.ts';
import { nearestName } from './nearest-name.ts';
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

function unknownKey(parent: ConfigPath, key: string): PathProblem {
  const path = [...parent, key];
  const names = Object.keys(schemaAt(parent).properties ?? {});
  const keys = Object.entries(jsonSchema.properties ?? {}).flatMap(([section, { properties }]) =>
    Object.keys(properties ?? {}).map((name) => ({ section, name })),
  );
  const find = (wanted: string | undefined) => keys.find(({ name }) => name === wanted);
  const owner = find(key);
  const near = nearestName(key, names);
  const elsewhere = find(
    nearestName(
      key,
      keys.map(({ name }) => name),
    ),
  );
  const meant =
    (owner && [owner.section, owner.name]) ??
    (near === undefined ? undefined : [...parent, near]) ??
    (elsewhere && [elsewhere.section, elsewhere.name]);
  const unknown = `\`${formatPath(path)}\` is not a key`;
  const choice = `${parent.length === 0 ? 'the sections' : 'the keys here'} are ${names.join(', ')}`;
  const message =
    owner !== undefined
      ? `\`${key}\` belongs to \`${owner.section}\``
      : meant === undefined
        ? `${unknown}; ${choice}`
        : `${unknown}; did you mean \`${formatPath(meant)}\`?`;
  const remedies: Remedy[] = [
    ...(meant === undefined ? [] : [{ kind: 'rename' as const, path, to: meant }]),
    { kind: 'remove', path },
  ];
  return { path, part: 'key', code: 'config.unknown_key', message, remedies };
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
