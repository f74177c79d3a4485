import path from 'node:path';
import { applyEdits, type JSONPath, modify, parse } from 'jsonc-parser';
import * as vscode from 'vscode';

const ENDING = '.lorafa.json';
const OUTPUT: JSONPath = ['training', 'output_dir'];

/**
 * Copies a configuration beside itself under the next name that is free, with an output folder of
 * that name, and opens it.
 *
 * @param change what else is another text in the copy
 * @returns the copy
 * @throws vscode.FileSystemError where the file cannot be read or the folder not be written
 */
export async function duplicateConfiguration(
  file: vscode.Uri,
  change = async (text: string): Promise<string> => text,
): Promise<vscode.Uri> {
  const { fs } = vscode.workspace;
  const text = new TextDecoder().decode(await fs.readFile(file));
  const folder = vscode.Uri.joinPath(file, '..');
  const output = outputOf(text);
  for (let number = 2; ; number += 1) {
    const name = `${numbered(path.basename(file.fsPath, ENDING), number)}${ENDING}`;
    const target = vscode.Uri.joinPath(folder, name);
    const next = output === undefined ? undefined : numbered(output, number);
    const places = [
      target.fsPath,
      ...(next === undefined ? [] : [path.resolve(folder.fsPath, next)]),
    ];
    if ((await Promise.all(places.map(exists))).includes(true)) continue;
    await fs.writeFile(target, new TextEncoder().encode(await change(withOutput(text, next))));
    await vscode.commands.executeCommand('vscode.open', target);
    return target;
  }
}

/** A name with a number behind it, in place of one that it has: `first` and `first-2` make `first-3`. */
export function numbered(name: string, number: number): string {
  return `${name.replace(/-\d{1,6}$/, '').replace(/[/\\]+$/, '')}-${number}`;
}

/** The text of a configuration with another output folder; as it is where it names none of its own. */
export function withOutput(text: string, output: string | undefined): string {
  return output === undefined ? text : applyEdits(text, modify(text, OUTPUT, output, {}));
}

/** The output folder that a configuration names; undefined where it names none. */
function outputOf(text: string): string | undefined {
  const config = parse(text, [], { allowTrailingComma: true }) as
    | { training?: { output_dir?: unknown } }
    | undefined;
  const output = config?.training?.output_dir;
  return typeof output === 'string' ? output : undefined;
}

function exists(file: string): Promise<boolean> {
  return Promise.resolve(
    vscode.workspace.fs.stat(vscode.Uri.file(file)).then(
      () => true,
      () => false,
    ),
  );
}
