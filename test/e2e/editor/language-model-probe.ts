import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { vi } from 'vitest';
import type { Editor } from './editor.ts';

/** What another extension got from a model through `vscode.lm`. */
export interface ProbedAnswer {
  /** Names of the models that our vendor offered. */
  readonly models: readonly string[];
  /** Tokens of the prompt, by the model's own count. */
  readonly promptTokens: number;
  /** The pieces of the answer, as they came. */
  readonly parts: readonly string[];
}

/**
 * Another extension, which knows nothing of ours: its command asks a model of VS Code's
 * language-model API and writes down what it got.
 */
export class LanguageModelProbe {
  /** To be given to `openEditor`. */
  readonly folder: string;
  readonly #answer: string;

  private constructor(folder: string) {
    this.folder = folder;
    this.#answer = path.join(folder, 'answer.json');
  }

  /** @param parent the folder that it is written into */
  static async write(parent: string, prompt: string): Promise<LanguageModelProbe> {
    const probe = new LanguageModelProbe(path.join(parent, 'language-model-probe'));
    await mkdir(probe.folder);
    const manifest = {
      ...{ publisher: 'example', name: 'language-model-probe', version: '0.0.1' },
      ...{ engines: { vscode: '^1.104.0' }, main: './extension.js' },
      contributes: { commands: [{ command: 'probe.ask', title: 'Probe: Ask the Model' }] },
    };
    await writeFile(path.join(probe.folder, 'package.json'), JSON.stringify(manifest));
    await writeFile(path.join(probe.folder, 'extension.js'), script(prompt, probe.#answer));
    return probe;
  }

  /** Asks, and waits for the whole answer. */
  async ask(editor: Editor): Promise<ProbedAnswer> {
    await editor.runCommand('Probe: Ask the Model');
    return vi.waitFor(
      async () => JSON.parse(await readFile(this.#answer, 'utf8')) as ProbedAnswer,
      { timeout: 60_000, interval: 200 },
    );
  }
}

function script(prompt: string, answer: string): string {
  return `
const { renameSync, writeFileSync } = require('node:fs');
const vscode = require('vscode');
const PROMPT = ${JSON.stringify(prompt)};
const ANSWER = ${JSON.stringify(answer)};

exports.activate = ({ subscriptions }) => {
  subscriptions.push(vscode.commands.registerCommand('probe.ask', ask));
};

async function ask() {
  const found = await vscode.lm.selectChatModels({ vendor: 'lorafa' });
  const [model] = found;
  const message = vscode.LanguageModelChatMessage.User(PROMPT);
  const response = await model.sendRequest([message], { justification: 'To see whether it answers.' });
  const parts = [];
  for await (const part of response.text) parts.push(part);
  const promptTokens = await model.countTokens(PROMPT);
  const models = found.map(({ name }) => name);
  writeFileSync(ANSWER + '.part', JSON.stringify({ models, promptTokens, parts }));
  renameSync(ANSWER + '.part', ANSWER);
}
`;
}
