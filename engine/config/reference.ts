import { describeExpected } from './expectation.ts';
import { configJsonSchema, type JsonSchemaNode } from './schema.ts';

/** The reference of the run configuration as Markdown: one table per section, from the schema. */
export function configReference(): string {
  const sections = Object.entries(configJsonSchema().properties ?? {});
  return sections.map(([name, section]) => renderSection(name, section)).join('\n');
}

function renderSection(name: string, section: JsonSchemaNode): string {
  const rows = Object.entries(section.properties ?? {}).flatMap(([key, node]) =>
    renderKey(key, node, section.required?.includes(key) ?? false),
  );
  return [
    `## \`${name}\``,
    '',
    section.description ?? '',
    '',
    '| Key | Value | Default | Meaning |',
    '| --- | --- | --- | --- |',
    ...rows,
    '',
  ].join('\n');
}

/** The row of a key, and one for each key of an object that it holds. */
function renderKey(key: string, node: JsonSchemaNode, isRequired: boolean): readonly string[] {
  const fallback = node.default === undefined ? '' : `\`${JSON.stringify(node.default)}\``;
  const cells = [
    `\`${key}\``,
    describeExpected(node),
    isRequired ? 'required' : fallback,
    node.description ?? '',
  ];
  const nested = Object.entries(node.properties ?? {}).flatMap(([inner, child]) =>
    renderKey(`${key}.${inner}`, child, false),
  );
  return [`| ${cells.map(escapeCell).join(' | ')} |`, ...nested];
}

function escapeCell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
