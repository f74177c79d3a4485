/** Settings under which every test starts: VS Code as new, without what moves or asks by itself. */
export const QUIET_SETTINGS: Readonly<Record<string, unknown>> = {
  // Screenshots are taken in both themes by telling the browser which one the system prefers.
  'window.autoDetectColorScheme': true,
  'telemetry.telemetryLevel': 'off',
  'workbench.startupEditor': 'none',
  'workbench.tips.enabled': false,
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'editor.cursorBlinking': 'solid',
  'extensions.autoCheckUpdates': false,
  'extensions.ignoreRecommendations': true,
  'files.simpleDialog.enable': true,
  'git.enabled': false,
  // Run configurations open as text; a test of the form chooses it.
  'workbench.editorAssociations': { '*.lorafa.json': 'default' },
};
