import * as vscode from 'vscode';
import { configWithAdapter } from '../../server/protocol/configurations.ts';
import { pathInFile } from '../hub/chosen-input.ts';
import { COMMANDS } from '../ids.ts';
import type { ServerLink } from '../server-link.ts';
import { showInformation } from '../show/notifications.ts';
import { duplicateConfiguration } from './duplicate-configuration.ts';

/** A run that is trained further. */
export interface FurtherTraining {
  /** The configuration that it was started with. */
  readonly file: vscode.Uri;
  readonly name: string;
  /** Folder of its adapter, or of one of its checkpoints. */
  readonly adapter: string;
}

/**
 * Makes a configuration like that of a run, for another one that begins with what it has learned, and opens it.
 *
 * @throws the server's error answer for a configuration that cannot be changed, and as
 * {@link duplicateConfiguration} does
 */
export async function trainFurther(
  server: ServerLink,
  { file, name, adapter }: FurtherTraining,
): Promise<void> {
  const asInFile = pathInFile(vscode.Uri.joinPath(file, '..'), adapter);
  const made = await duplicateConfiguration(file, async (config) => {
    const { text } = await server.ask(configWithAdapter, { text: config, adapter: asInFile });
    return text;
  });
  const message = vscode.l10n.t(
    '{0} begins with what {1} has learned. Change what you like, and start it.',
    vscode.workspace.asRelativePath(made),
    name,
  );
  await showInformation(message, {
    title: vscode.l10n.t('Start Run'),
    run: () => vscode.commands.executeCommand(COMMANDS.startRun, made),
  });
}
