import { quote } from '../quote.ts';
import { MAX_FLOAT32 } from './float32.ts';
import type { JsonSchemaNode } from './schema.ts';

/** What a schema accepts, in words: "a whole number of at least 1", `"auto", true or false`. */
export function describeExpected(node: JsonSchemaNode): string {
  if (node.title !== undefined) return node.title;
  if (node.anyOf !== undefined) return joinWithOr(node.anyOf.map(describeExpected));
  if (node.const !== undefined) return JSON.stringify(node.const);
  if (node.enum !== undefined) return joinWithOr(node.enum.map((value) => JSON.stringify(value)));
  switch (node.type) {
    case 'integer':
      return `a whole number${describeRange(node)}`;
    case 'number':
      return `a number${describeRange(node)}`;
    case 'boolean':
      return 'true or false';
    case 'string':
      return 'a string that is not empty';
    case 'array':
      return `a list of ${describePlural(node.items ?? {})}`;
    case 'object':
      return typeof node.additionalProperties === 'object'
        ? `an object whose values are ${describePlural(node.additionalProperties)}`
        : 'an object';
    default:
      return 'another value';
  }
}

/**
 * Which limit of arithmetic a number is beyond, in words; undefined where it is not beyond any. What a
 * JSON text writes larger than a double can be has become infinite.
 */
export function overflownLimit(node: JsonSchemaNode, value: unknown): string | undefined {
  if (typeof value !== 'number') return undefined;
  const size = Math.abs(value);
  if (node.type === 'integer' && size > Number.MAX_SAFE_INTEGER) {
    return `${Number.MAX_SAFE_INTEGER}, the largest that is counted exactly`;
  }
  if (node.maximum === MAX_FLOAT32 && size > MAX_FLOAT32) return '3.4e38, the largest float32';
  return size === Infinity ? '1.8e308, the largest that can be computed with' : undefined;
}

/** A value as it may be shown in a sentence: JSON, cut where it is long. */
export function describeValue(value: unknown): string {
  return quote(value, 60);
}

function describePlural(node: JsonSchemaNode): string {
  if (node.enum !== undefined) return describeExpected(node);
  switch (node.type) {
    case 'integer':
      return `whole numbers${describeRange(node)}`;
    case 'number':
      return `numbers${describeRange(node)}`;
    case 'string':
      return 'strings that are not empty';
    default:
      return 'values';
  }
}

function describeRange(node: JsonSchemaNode): string {
  const { minimum, exclusiveMinimum, exclusiveMaximum } = node;
  // Limits of arithmetic say nothing to a person, unless they are met.
  const isArithmetic = node.maximum === Number.MAX_SAFE_INTEGER || node.maximum === MAX_FLOAT32;
  const maximum = isArithmetic ? undefined : node.maximum;
  const bounds = [
    minimum === undefined ? undefined : `of at least ${minimum}`,
    exclusiveMinimum === undefined ? undefined : `above ${exclusiveMinimum}`,
    maximum === undefined ? undefined : `at most ${maximum}`,
    exclusiveMaximum === undefined ? undefined : `below ${exclusiveMaximum}`,
  ].filter((bound) => bound !== undefined);
  return bounds.length === 0 ? '' : ` ${bounds.join(' and ')}`;
}

function joinWithOr(parts: readonly string[]): string {
  const last = parts[parts.length - 1] ?? '';
  return parts.length < 2 ? last : `${parts.slice(0, -1).join(', ')} or ${last}`;
}
