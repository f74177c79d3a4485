import {
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
    complete: async (document, position) =>
      service.doComplete(document, position, service.parseJSONDocument(document)),
    hover: async (document, position) =>
      service.doHover(document, position, service.parseJSONDocument(document)),
  };
}
