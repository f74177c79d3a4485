import {
  type CompletionItem,
  CompletionItemKind,
  type CompletionList,
  getLanguageService,
  type Hover,
  type JSONSchema,
} from 'vscode-json-languageservice';
import type { Position } from 'vscode-languageserver';
import type { TextDocument } from 'vscode-languageserver-textdocument';
import { configEditorSchema } from './config-editor-schema.ts';

/** What the editor offers inside a `*.lorafa.json` file, all of it from the one schema. */
export interface ConfigLanguage {
  /** Keys that may stand at a position, or the values of the key there. */
  complete(document: TextDocument, position: Position): Promise<CompletionList | null>;
  /** What the key at a position means, what it accepts and its default. */
  hover(document: TextDocument, position: Position): Promise<Hover | null>;
}

/** The identity of the schema inside the JSON language service; nothing is ever fetched from it. */
const SCHEMA_URI = 'lorafa://schema/run-configuration';

/** Makes a {@link ConfigLanguage}. It keeps the schema and nothing about documents. */
export function createConfigLanguage(): ConfigLanguage {
  const service = getLanguageService({
    clientCapabilities: {
      textDocument: {
        completion: { completionItem: { documentationFormat: ['markdown'] } },
        hover: { contentFormat: ['markdown'] },
      },
    },
  });
  const schema: JSONSchema = configEditorSchema();
  service.configure({
    allowComments: true,
    schemas: [{ uri: SCHEMA_URI, fileMatch: ['*'], schema }],
  });
  return {
    complete: async (document, position) => {
      const list = await service.doComplete(
        document,
        position,
        service.parseJSONDocument(document),
      );
      return list && { ...list, items: list.items.map((item) => keyItem(item, document)) };
    },
    hover: async (document, position) =>
      service.doHover(document, position, service.parseJSONDocument(document)),
  };
}

/**
 * A key as people take it: typed without quotes it is found by its name, and what it can be set to is
 * offered next.
 */
function keyItem(item: CompletionItem, document: TextDocument): CompletionItem {
  if (item.kind !== CompletionItemKind.Property) return item;
  const range = item.textEdit && 'range' in item.textEdit ? item.textEdit.range : undefined;
  const isQuoted = range !== undefined && document.getText(range).startsWith('"');
  const isEmpty = item.textEdit?.newText.includes('$1') === true;
  return {
    ...item,
    ...(!isQuoted && { filterText: item.label }),
    ...(isEmpty && {
      command: { title: 'Suggest', command: 'editor.action.triggerSuggest' },
    }),
  };
}
