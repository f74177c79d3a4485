import * as vscode from 'vscode';

/** Words of the report about a folder that is not trusted, in the user's language. */
export function restrictedTexts() {
  return {
    title: vscode.l10n.t('LoRA-FA Doctor'),
    verdict: vscode.l10n.t(
      'Restricted Mode: this folder is not trusted, so LoRA-FA starts no process on its files, and the machine was not examined.',
    ),
    needed: vscode.l10n.t('What needs trust'),
    starting: vscode.l10n.t('Starting, resuming and listing runs'),
    checking: vscode.l10n.t('Checks, completions and hints in run configurations'),
    looking: vscode.l10n.t('Data preview and estimates'),
    models: vscode.l10n.t('Base models, adapters, the playground and the chat'),
    works: vscode.l10n.t('What works without'),
    editing: vscode.l10n.t('Run configurations can be read and edited, as forms and as text.'),
    wayOut: vscode.l10n.t('How to trust it'),
    manage: vscode.l10n.t(
      'Choose *Manage Trust* in the notification, or run *Workspaces: Manage Workspace Trust* from the command palette. Then run the Doctor again.',
    ),
  };
}

/** What a folder that is not trusted allows, as a Markdown document. */
export function restrictedMarkdown(texts: ReturnType<typeof restrictedTexts>): string {
  const { starting, checking, looking, models } = texts;
  return [
    `# ${texts.title}`,
    `✗ ${texts.verdict}`,
    `## ${texts.needed}`,
    [starting, checking, looking, models].map((line) => `- ${line}`).join('\n'),
    `## ${texts.works}`,
    texts.editing,
    `## ${texts.wayOut}`,
    texts.manage,
    '',
  ].join('\n\n');
}
