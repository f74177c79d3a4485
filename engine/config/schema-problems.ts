import type { z } from 'zod';
import type { ErrorCode } from '../errors.ts';
import { type ConfigPath, formatPath } from './config-error.ts';
import { describeExpected, describeValue } from './expectation.ts';
import { nearestName } from './nearest-name.ts';
import { configJsonSchema, configSchema, type JsonSchemaNode } from './schema.ts';

/** A mistake at a path, not yet located in a file. */
export interface PathProblem {
  readonly path: ConfigPath;
  /** Whether the key or its value is to be shown to the user. */
  readonly part: 'key' | 'value';
  readonly code: ErrorCode;
  readonly message: string;
}

const jsonSchema = configJsonSchema();

/** Everything in `value` that the schema does not allow: unknown, missing and wrong values. */
export function schemaProblems(value: unknown): readonly PathProblem[] {
  const result = configSchema.safeParse(value);
  return result.success ? [] : result.error.issues.flatMap((issue) => toProblems(issue, value));
}

function toProblems(issue: z.core.$ZodIssue, root: unknown): readonly PathProblem[] {
  const path = issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part));
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      path: [...path, key],
      part: 'key',
      code: 'config.unknown_key',
      message: describeUnknown(path, key),
    }));
  }
  if (issue.code === 'invalid_key') {
    const message = `the key of \`${formatPath(path)}\` is not a name or a valid regular expression`;
    return [{ path, part: 'key', code: 'config.invalid_value', message }];
  }
  const value = valueAt(root, path);
  const message = value === undefined ? describeMissing(path) : describeWrong(path, value);
  return [{ path, part: 'value', code: 'config.invalid_value', message }];
}

function describeUnknown(parent: ConfigPath, key: string): string {
  const names = Object.keys(schemaAt(parent).properties ?? {});
  const owners = Object.entries(jsonSchema.properties ?? {});
  const owner = owners.find(([, section]) => Object.hasOwn(section.properties ?? {}, key));
  if (owner !== undefined) return `\`${key}\` belongs to \`${owner[0]}\``;

  const unknown = `\`${formatPath([...parent, key])}\` is not a key`;
  const near = nearestName(key, names);
  if (near !== undefined) return `${unknown}; did you mean \`${formatPath([...parent, near])}\`?`;
  const everywhere = owners.flatMap(([section, { properties }]) =>
    Object.keys(properties ?? {}).map((name) => ({ section, name })),
  );
  const nearName = nearestName(
    key,
    everywhere.map(({ name }) => name),
  );
  const elsewhere = everywhere.find(({ name }) => name === nearName);
  return elsewhere === undefined
    ? `${unknown}; ${parent.length === 0 ? 'the sections' : 'the keys here'} are ${names.join(', ')}`
    : `${unknown}; did you mean \`${elsewhere.section}.${elsewhere.name}\`?`;
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
