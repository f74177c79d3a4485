import * as vscode from 'vscode';

/** Words of the doctor's report, in the user's language. */
export function doctorTexts() {
  return {
    title: vscode.l10n.t('LoRA-FA Doctor'),
    ready: vscode.l10n.t('Runs can be started here. Devices:'),
    notReady: vscode.l10n.t('No run can be started here: no device works.'),
    whatIsMissing: vscode.l10n.t('What is missing'),
    wordsInLog: vscode.l10n.t(
      'What their libraries themselves say stands in the log: run the command *LoRA-FA: Show Logs*.',
    ),
    machine: vscode.l10n.t('This machine'),
    what: vscode.l10n.t('What'),
    found: vscode.l10n.t('Found'),
    missing: vscode.l10n.t('missing'),
    unknown: vscode.l10n.t('unknown'),
    memoryUnknown: vscode.l10n.t('memory unknown'),
    device: vscode.l10n.t('Device'),
    driver: vscode.l10n.t('driver'),
    usable: vscode.l10n.t('usable'),
    notUsable: vscode.l10n.t('not usable'),
    passedOver: vscode.l10n.t('not taken by "auto":'),
    bfloat16: vscode.l10n.t('Products in bfloat16'),
    system: vscode.l10n.t('System'),
    cpu: vscode.l10n.t('Processor'),
    cores: vscode.l10n.t('logical cores'),
    instructions: vscode.l10n.t('Instruction sets'),
    memory: vscode.l10n.t('Memory (free / all)'),
    disk: vscode.l10n.t('Disk, free'),
  };
}

/** See {@link doctorTexts}. */
export type DoctorTexts = ReturnType<typeof doctorTexts>;
