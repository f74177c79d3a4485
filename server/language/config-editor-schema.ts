import type { JSONSchema } from 'vscode-json-languageservice';
import { describeExpected } from '../../engine/config/expectation.ts';
import { configJsonSchema, type JsonSchemaNode } from '../../engine/config/schema.ts';

/**
 * The schema of the run configuration as the JSON language service reads it: each key says in
 * Markdown what it means, what it accepts and its default.
 */
export function configEditorSchema(): JSONSchema {
  return annotate(configJsonSchema());
}

function annotate(node: JsonSchemaNode): JSONSchema {
  const { title: _, anyOf, items, properties, additionalProperties, ...rest } = node;
  return {
    ...(rest as JSONSchema),
    ...(node.description !== undefined && { markdownDescription: explain(node) }),
    ...(anyOf !== undefined && { anyOf: anyOf.map(annotate) }),
    ...(items !== undefined && { items: annotate(items) }),
    ...(properties !== undefined && { properties: annotateAll(properties) }),
    ...(additionalProperties !== undefined && {
      additionalProperties:
        typeof additionalProperties === 'object' ? annotate(additionalProperties) : false,
    }),
  };
}

function annotateAll(nodes: Readonly<Record<string, JsonSchemaNode>>): Record<string, JSONSchema> {
  return Object.fromEntries(Object.entries(nodes).map(([name, node]) => [name, annotate(node)]));
}

function explain(node: JsonSchemaNode): string {
  if (node.type === 'object' && node.properties !== undefined) return node.description ?? '';
  const fallback =
    node.default === undefined ? '' : ` Default: \`${JSON.stringify(node.default)}\`.`;
  return `${node.description}\n\nAccepts ${describeExpected(node)}.${fallback}`;
}
