import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Diagnostic } from 'vscode-languageserver';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { configActions } from '../../../server/language/config-actions.ts';
import { configDiagnostics } from '../../../server/language/config-diagnostics.ts';
import {
  ConfigInspector,
  type Inspection,
  type InspectorOptions,
} from '../../../server/language/inspection/config-inspector.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { writeTinyModel } from '../../support/tiny-model-folder.ts';

/** Values of the configuration by section and key; `undefined` leaves a key out. */
export type Changes = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

const PAIRS = Array.from({ length: 12 }, (_, index) => ({
  question: `What is ${index}?`,
  answer: `It is the number ${index}.`,
}));

/** A folder with a tiny model (2 layers, bytes as tokens), data and a configuration of them. */
export class ConfigWorkspace {
  readonly folder: string;
  readonly inspector: ConfigInspector;

  private constructor(folder: string, options: InspectorOptions) {
    this.folder = folder;
    this.inspector = new ConfigInspector(options);
  }

  static async create(options: InspectorOptions = {}): Promise<ConfigWorkspace> {
    const workspace = new ConfigWorkspace(await tempFolder(), options);
    await writeTinyModel(workspace.path('model'));
    await workspace.writeRows('rows.jsonl', PAIRS);
    return workspace;
  }

  path(name: string): string {
    return path.join(this.folder, name);
  }

  get uri(): string {
    return pathToFileURL(this.path('run.lorafa.json')).href;
  }

  async write(name: string, content: string | Uint8Array): Promise<void> {
    await mkdir(path.dirname(this.path(name)), { recursive: true });
    await writeFile(this.path(name), content);
  }

  async writeRows(name: string, rows: readonly object[]): Promise<void> {
    await this.write(name, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  }

  async remove(name: string): Promise<void> {
    await rm(this.path(name), { recursive: true });
  }

  /** The text of a good configuration with changes, a comment at every key. */
  text(changes: Changes = {}): string {
    const sections: Changes = {
      model: { base_model_name_or_path: 'model' },
      data: { dataset_name_or_path: 'rows.jsonl', pad_to_multiple_of: 16 },
      lora: { r: 4, lora_alpha: 8 },
      training: { output_dir: 'out', num_train_epochs: 2, per_device_train_batch_size: 2 },
      engine: { device: 'cpu' },
      ...('accelerate' in changes && { accelerate: {} }),
    };
    const lines = Object.entries(sections).map(([section, keys]) => {
      const values = Object.entries({ ...keys, ...changes[section] });
      const inner = values
        .filter(([, value]) => value !== undefined)
        .map(([key, value]) => `    ${JSON.stringify(key)}: ${JSON.stringify(value)}, // ${key}`);
      return [`  // The section ${section}`, `  "${section}": {`, ...inner, '  },'].join('\n');
    });
    return `{\n${lines.join('\n')}\n}\n`;
  }

  document(text: string): TextDocument {
    return TextDocument.create(this.uri, 'jsonc', 1, text);
  }

  inspect(text: string): Promise<Inspection> {
    return this.inspector.inspect(this.path('run.lorafa.json'), text, () => false);
  }

  /** Everything that the editor would mark in a text. */
  async diagnostics(text: string): Promise<readonly Diagnostic[]> {
    const { findings } = await this.inspect(text);
    return configDiagnostics(this.document(text), 'LoRA-FA', findings);
  }

  /** The text after each quick fix for a diagnostic, by title. */
  fixes(text: string, diagnostic: Diagnostic): Readonly<Record<string, string>> {
    const document = this.document(text);
    const fixed = configActions(document, [diagnostic]).map(({ title, edit }) => [
      title,
      TextDocument.applyEdits(document, edit!.changes![document.uri]!),
    ]);
    return Object.fromEntries(fixed);
  }
}
