import { z } from 'zod';
import { accelerateSection } from './accelerate-section.ts';
import { dataSection } from './data-section.ts';
import { engineSection } from './engine-section.ts';
import { loraSection } from './lora-section.ts';
import { modelSection } from './model-section.ts';
import { trainingSection, withMethodDefaults } from './training-section.ts';

/**
 * The run configuration: the one source for its TypeScript types, its validation, its defaults,
 * its JSON Schema and its reference page. What keys mean together stands in `contradictions.ts`.
 */
export const configSchema = z.strictObject({
  model: modelSection,
  data: dataSection,
  lora: loraSection.prefault({}),
  training: trainingSection.transform(withMethodDefaults),
  engine: engineSection.prefault({}),
  accelerate: accelerateSection.prefault({}),
});

/** A configuration as a person may write it: keys with a default may be left out. */
export type ConfigInput = z.input<typeof configSchema>;

/** A configuration that was checked, with every default filled in and every path absolute. */
export type ResolvedConfig = z.output<typeof configSchema>;

/** What a string is for, so that editors can offer more than a line of text; checks nothing. */
export type StringFormat =
  | 'model-path'
  | 'data-path'
  | 'folder-path'
  | 'multiline-text'
  | 'chat-template'
  | 'data-column'
  | 'device';

/** The part of JSON Schema (draft 7) that {@link configJsonSchema} makes use of. */
export interface JsonSchemaNode {
  readonly type?: 'object' | 'array' | 'string' | 'number' | 'integer' | 'boolean';
  readonly title?: string;
  readonly description?: string;
  readonly format?: StringFormat;
  readonly default?: unknown;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly JsonSchemaNode[];
  readonly items?: JsonSchemaNode;
  readonly properties?: Readonly<Record<string, JsonSchemaNode>>;
  readonly additionalProperties?: false | JsonSchemaNode;
  readonly required?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
}

/** JSON Schema (draft 7) of a `*.lorafa.json` file as it is written, for editors. */
export function configJsonSchema(): JsonSchemaNode {
  // The node type above is the subset of the library's type that these schemas can produce.
  return z.toJSONSchema(configSchema, { io: 'input', target: 'draft-7' }) as JsonSchemaNode;
}
