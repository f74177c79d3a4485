import * as vscode from 'vscode';
import { examineMachine } from '../../server/protocol.ts';
import { DOCTOR_SCHEME } from '../ids.ts';
import type { ServerLink } from '../server-link.ts';
import { doctorMarkdown } from './doctor-markdown.ts';
import { doctorTexts } from './doctor-texts.ts';
import { machineReportSchema } from './machine-report.ts';

/** Examines the machine and shows what it can do in a document that nobody can change. */
export class Doctor implements vscode.TextDocumentContentProvider {
  readonly #server: ServerLink;
  readonly #didChange = new vscode.EventEmitter<vscode.Uri>();
  #content = '';

  readonly onDidChange = this.#didChange.event;

  constructor(server: ServerLink) {
    this.#server = server;
  }

  provideTextDocumentContent(): string {
    return this.#content;
  }

  /** @throws the server's error answer */
  async show(): Promise<void> {
    const title = vscode.l10n.t('Examining this machine…');
    const location = vscode.ProgressLocation.Notification;
    const report = await vscode.window.withProgress({ location, title }, () =>
      this.#server.ask(examineMachine, {}),
    );
    this.#content = doctorMarkdown(machineReportSchema.parse(report), doctorTexts());
    const uri = vscode.Uri.from({ scheme: DOCTOR_SCHEME, path: 'LoRA-FA Doctor.md' });
    this.#didChange.fire(uri);
    // VS Code's own Markdown extension can be switched off.
    await vscode.commands
      .executeCommand('markdown.showPreview', uri)
      .then(undefined, () => vscode.window.showTextDocument(uri));
  }
}
