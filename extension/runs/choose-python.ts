import { setTimeout as delay } from 'node:timers/promises';
import * as vscode from 'vscode';
import { SETTINGS, SETTINGS_SECTION } from '../ids.ts';

/** The Python extension, and of what it exports the part that is used here. */
const PYTHON_EXTENSION = 'ms-python.python';

interface PythonApi {
  readonly environments: {
    getActiveEnvironmentPath(resource?: vscode.Uri): { readonly path: string };
    /** Undefined for one that is not there. */
    resolveEnvironment(environment: {
      readonly path: string;
    }): Promise<{ readonly executable: { readonly uri: vscode.Uri | undefined } } | undefined>;
  };
}

/** Milliseconds that a run waits for another extension, which may have to look at all of a disk first. */
const PATIENCE_MS = 20_000;

/**
 * The Python that was chosen in the editor: by the setting, or else in the Python extension, where that is installed.
 *
 * @param configFile the configuration that it is for: each folder of a workspace may have an interpreter of its own
 * @returns null where none was chosen
 */
export async function choosePython(
  configFile: string | null,
  log: vscode.LogOutputChannel,
): Promise<string | null> {
  const settings = vscode.workspace.getConfiguration(SETTINGS_SECTION);
  // Whoever writes settings.json may write anything there.
  const setting = settings.get<unknown>(SETTINGS.python);
  if (typeof setting === 'string' && setting.trim() !== '') return setting.trim();
  const extension = vscode.extensions.getExtension<PythonApi>(PYTHON_EXTENSION);
  if (extension === undefined) return null;
  const patience = new AbortController();
  const late = delay(PATIENCE_MS, undefined, { signal: patience.signal }).then(() => {
    throw new Error('it takes too long');
  });
  try {
    return await Promise.race([selectedInterpreter(extension, configFile), late]);
  } catch (error) {
    log.warn(`The Python extension does not tell which interpreter is selected: ${String(error)}`);
    return null;
  } finally {
    late.catch(() => undefined);
    patience.abort();
  }
}

async function selectedInterpreter(
  extension: vscode.Extension<PythonApi>,
  configFile: string | null,
): Promise<string | null> {
  const { environments } = await extension.activate();
  const resource = configFile === null ? undefined : vscode.Uri.file(configFile);
  // What is active may be a folder, or an environment without an interpreter.
  const active = environments.getActiveEnvironmentPath(resource);
  const environment = await environments.resolveEnvironment(active);
  return environment?.executable.uri?.fsPath ?? null;
}
