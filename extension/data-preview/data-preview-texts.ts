import * as vscode from 'vscode';

/** Words of the data preview, in the user's language. `{0}` stands for a value. */
export function dataPreviewTexts() {
  return {
    title: vscode.l10n.t('Training data of {0}'),
    opening: vscode.l10n.t('Opening the data…'),
    reading: vscode.l10n.t('Reading: {0} rows, {1}%'),
    progress: vscode.l10n.t('Share of the data that was read'),
    cancel: vscode.l10n.t('Cancel'),
    cancelled: vscode.l10n.t(
      'Reading was cancelled after {0} rows ({1}%): the figures are those of these rows.',
    ),
    cancelledEmpty: vscode.l10n.t('Reading was cancelled.'),
    search: vscode.l10n.t('Search in rows'),
    found: vscode.l10n.t('Rows {0} to {1} of {2} with “{3}”'),
    noneFound: vscode.l10n.t('No row holds “{0}”.'),
    searching: vscode.l10n.t('{0}% searched'),
    previous: vscode.l10n.t('Previous'),
    next: vscode.l10n.t('Next'),
    random: vscode.l10n.t('Random'),
    refresh: vscode.l10n.t('Read Again'),
    refreshHint: vscode.l10n.t('It is read again by itself when the configuration is saved'),
    pages: vscode.l10n.t('Pages'),
    openConfig: vscode.l10n.t('Open Configuration'),
    position: vscode.l10n.t('Rows {0} to {1} of {2}'),
    noRows: vscode.l10n.t('No row is used.'),
    rows: vscode.l10n.t('Rows used'),
    of: vscode.l10n.t('{0} of {1}'),
    tokens: vscode.l10n.t('Tokens'),
    supervised: vscode.l10n.t('Learned'),
    share: vscode.l10n.t('{0} ({1}%)'),
    longest: vscode.l10n.t('Longest row'),
    shape: vscode.l10n.t('Read as'),
    padding: vscode.l10n.t('Padding'),
    paddingPacked: vscode.l10n.t('Padding with packing'),
    paddingUnpacked: vscode.l10n.t('Padding without packing'),
    truncatedRows: vscode.l10n.t('Truncated'),
    droppedRows: vscode.l10n.t('Dropped'),
    truncatedIssues: vscode.l10n.t('Rows truncated: {0}'),
    droppedIssues: vscode.l10n.t('Rows dropped: {0}'),
    neverSupervisedIssues: vscode.l10n.t('Rows left out because nothing in them is learned: {0}'),
    lastTurnOnlyIssues: vscode.l10n.t(
      'Conversations of which only the last answer is learned: {0}',
    ),
    moreIssues: vscode.l10n.t('and {0} more'),
    legend: vscode.l10n.t('Legend'),
    legendSupervised: vscode.l10n.t('learned: the loss is computed on it'),
    legendRead: vscode.l10n.t('only read'),
    legendSpecial: vscode.l10n.t('special token'),
    legendWhitespace: vscode.l10n.t('space, tab, line break'),
    legendTruncated: vscode.l10n.t('cut at max_length'),
    sampleSupervised: vscode.l10n.t('text'),
    rowCounts: vscode.l10n.t('{0} tokens, {1} learned'),
    openRow: vscode.l10n.t('Open {0} at line {1}'),
    truncatedMark: vscode.l10n.t('cut at max_length: the row goes on'),
    spokenRead: vscode.l10n.t('Read: '),
    spokenLearned: vscode.l10n.t('Learned: '),
    tokenTitle: vscode.l10n.t('Token {0}'),
  };
}

/** See {@link dataPreviewTexts}. */
export type DataPreviewTexts = ReturnType<typeof dataPreviewTexts>;
