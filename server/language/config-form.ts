import { describeExpected } from '../../engine/config/expectation.ts';
import {
  configJsonSchema,
  type JsonSchemaNode,
  type StringFormat,
} from '../../engine/config/schema.ts';

/**
 * The form for a run configuration as the config editor shows it. It is made from the one schema
 * when the extension is built, so that the editor needs neither the engine nor a running server.
 */
export interface ConfigForm {
  readonly sections: readonly FormSection[];
}

/** A top-level key of the configuration. */
export interface FormSection {
  readonly name: string;
  /** Markdown, of which only inline code is used; so are all descriptions. */
  readonly description: string;
  readonly fields: readonly FormField[];
}

/** One value that a person can set. */
export interface FormField {
  /** Keys from the root: the section, the field and, inside a nested object, its key. */
  readonly path: readonly string[];
  readonly description: string;
  /** What it accepts, in words. */
  readonly accepts: string;
  /** What holds where the key is left out; absent where that cannot be said by a value. */
  readonly default?: unknown;
  readonly isRequired: boolean;
  readonly control: FieldControl;
}

/** What a button beside a text looks for on the disk. */
export type BrowseKind = 'model' | 'data' | 'template' | 'folder';

/** A value among several. */
export type ChoiceValue = string | number | boolean;

/** How a value is shown and changed. */
export type FieldControl =
  | { readonly kind: 'switch' }
  | { readonly kind: 'number' }
  | {
      readonly kind: 'choice';
      readonly options: readonly ChoiceValue[];
      /** Other strings are accepted too. */
      readonly isOpen: boolean;
    }
  | {
      /** Any of several. */
      readonly kind: 'choices';
      readonly options: readonly string[];
    }
  | {
      readonly kind: 'text';
      readonly isMultiline: boolean;
      readonly browse?: BrowseKind;
    }
  | {
      /** Items one per line; a single one may stand without a list around it. */
      readonly kind: 'list';
      readonly items: 'text' | 'number';
      readonly browse?: BrowseKind;
    }
  | {
      /** The name of a column of the data. */
      readonly kind: 'column';
    }
  | {
      /** A device of this machine, by these names or others. */
      readonly kind: 'device';
      readonly options: readonly ChoiceValue[];
    }
  | {
      /** A regular expression or a list of names, which mean different things. */
      readonly kind: 'names';
    }
  | {
      /** Objects with keys of their own, each on a line as JSON. */
      readonly kind: 'objects';
    }
  | {
      /** Names of the user's choice with a number each. */
      readonly kind: 'record';
    };

/** Makes the form from the schema. */
export function configForm(): ConfigForm {
  const sections = Object.entries(configJsonSchema().properties ?? {});
  return {
    sections: sections.map(([name, section]) => ({
      name,
      description: section.description ?? '',
      fields: fieldsOf([name], section),
    })),
  };
}

function fieldsOf(path: readonly string[], parent: JsonSchemaNode): readonly FormField[] {
  return Object.entries(parent.properties ?? {}).flatMap(([key, node]) => {
    const isRequired = parent.required?.includes(key) ?? false;
    return node.properties === undefined
      ? [toField([...path, key], node, isRequired)]
      : fieldsOf([...path, key], node);
  });
}

function toField(path: readonly string[], node: JsonSchemaNode, isRequired: boolean): FormField {
  return {
    path,
    description: node.description ?? '',
    accepts: describeExpected(node),
    ...(node.default !== undefined && { default: node.default }),
    isRequired,
    control: controlFor(path, node),
  };
}

/** @throws Error for a kind of value that the form has no control for: the build then fails. */
function controlFor(path: readonly string[], node: JsonSchemaNode): FieldControl {
  const kinds = node.anyOf ?? [node];
  const types = new Set(kinds.map(({ type }) => type));
  const options = kinds.flatMap(choicesOf);
  if (node.type === 'boolean') return { kind: 'switch' };
  if (node.format === 'device') return { kind: 'device', options };
  if (options.length > 0) {
    return { kind: 'choice', options, isOpen: kinds.some((kind) => choicesOf(kind).length === 0) };
  }
  if (types.has('array')) return listControl(kinds, node);
  if (types.has('object')) return { kind: 'record' };
  if (node.format === 'data-column') return { kind: 'column' };
  if (types.has('string')) {
    return { kind: 'text', isMultiline: MULTILINE.has(node.format), ...browseOf(node) };
  }
  if (types.has('number') || types.has('integer')) return { kind: 'number' };
  throw new Error(`The form has no control for ${path.join('.')}.`);
}

/** Texts of more than a line. */
const MULTILINE: ReadonlySet<StringFormat | undefined> = new Set([
  'multiline-text',
  'chat-template',
]);

function choicesOf({ type, const: only, enum: several }: JsonSchemaNode): readonly ChoiceValue[] {
  const values = several ?? (only === undefined ? type === 'boolean' && [true, false] : [only]);
  return values === false ? [] : (values as readonly ChoiceValue[]);
}

function listControl(kinds: readonly JsonSchemaNode[], node: JsonSchemaNode): FieldControl {
  // A string with a meaning of its own has a title that says it.
  const isPattern = kinds.some(({ type, title }) => type === 'string' && title !== undefined);
  if (isPattern) return { kind: 'names' };
  const { type: items, enum: options } = kinds.find(({ type }) => type === 'array')?.items ?? {};
  if (items === 'object') return { kind: 'objects' };
  if (options !== undefined) return { kind: 'choices', options: options.map(String) };
  return { kind: 'list', items: items === 'string' ? 'text' : 'number', ...browseOf(node) };
}

function browseOf({ format }: JsonSchemaNode): { readonly browse?: BrowseKind } {
  switch (format) {
    case 'model-path':
      return { browse: 'model' };
    case 'data-path':
      return { browse: 'data' };
    case 'chat-template':
      return { browse: 'template' };
    case 'folder-path':
      return { browse: 'folder' };
    default:
      return {};
  }
}
