import * as vscode from 'vscode';

/** The words of the form; `{0}` stands for what the page fills in. */
export type FormTexts = Readonly<Record<keyof ReturnType<typeof formTexts>, string>>;

/** The words of the form in the user's language. What keys mean comes from the schema. */
export function formTexts() {
  return {
    startRun: vscode.l10n.t('Start Run'),
    previewData: vscode.l10n.t('Preview Data'),
    estimateRun: vscode.l10n.t('Estimate'),
    openAsText: vscode.l10n.t('Open as Text'),
    manageTrust: vscode.l10n.t('Manage Trust'),
    restricted: vscode.l10n.t(
      'Restricted Mode: this folder is not trusted. The form can be filled in, but nothing is checked, previewed or started.',
    ),
    needsTrust: vscode.l10n.t('Needs a folder that is trusted'),
    oneKeepsFromStarting: vscode.l10n.t('1 error keeps it from starting'),
    keepFromStarting: vscode.l10n.t('{0} errors keep it from starting'),
    oneError: vscode.l10n.t('1 error'),
    errors: vscode.l10n.t('{0} errors'),
    oneWarning: vscode.l10n.t('1 warning'),
    warnings: vscode.l10n.t('{0} warnings'),
    oneNote: vscode.l10n.t('1 note'),
    notes: vscode.l10n.t('{0} notes'),
    moreProblems: vscode.l10n.t('Show {0} more'),
    goToField: vscode.l10n.t('Go to {0}'),
    search: vscode.l10n.t('Search settings'),
    noMatches: vscode.l10n.t('No setting matches “{0}”.'),
    matches: vscode.l10n.t('{0} settings match'),
    countSet: vscode.l10n.t('{0} set'),
    countProblems: vscode.l10n.t('Problems: {0}'),
    required: vscode.l10n.t('required'),
    isSet: vscode.l10n.t('set in the file'),
    accepts: vscode.l10n.t('Accepts {0}.'),
    default: vscode.l10n.t('Default: {0}.'),
    clear: vscode.l10n.t('Clear'),
    clearField: vscode.l10n.t('Clear {0}'),
    browse: vscode.l10n.t('Browse…'),
    browseField: vscode.l10n.t('Browse for {0}'),
    enabled: vscode.l10n.t('Enabled'),
    setUpCuda: vscode.l10n.t('Set Up CUDA…'),
    notSet: vscode.l10n.t('not set'),
    other: vscode.l10n.t('Other…'),
    onePerLine: vscode.l10n.t('One per line.'),
    pattern: vscode.l10n.t('Regular expression'),
    list: vscode.l10n.t('List of names'),
    name: vscode.l10n.t('Name or regular expression'),
    value: vscode.l10n.t('Value'),
    add: vscode.l10n.t('Add'),
    addTo: vscode.l10n.t('Add an entry to {0}'),
    remove: vscode.l10n.t('Remove'),
    removeEntry: vscode.l10n.t('Remove {0}'),
    brokenSyntax: vscode.l10n.t(
      'The text is not valid JSON at line {0}, column {1}. The form changes nothing until it is corrected.',
    ),
    error: vscode.l10n.t('Error'),
    warning: vscode.l10n.t('Warning'),
    info: vscode.l10n.t('Information'),
  };
}
