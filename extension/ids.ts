import { SERVER_COMMANDS } from '../server/command-ids.ts';

/**
 * Every identifier that the extension shares with its manifest (`package.json`), in one place; a
 * test compares the two. An id names one thing only and never changes its meaning: users bind keys
 * and write settings with it.
 */

/** Commands, as they are bound to keys. The server names some of them too. */
export const COMMANDS = {
  openDemo: 'lorafa.openDemo',
  getModel: 'lorafa.getModel',
  newConfiguration: 'lorafa.newConfiguration',
  newConfigurationFromData: 'lorafa.newConfigurationFromData',
  startRun: SERVER_COMMANDS.startRun,
  replaceRun: SERVER_COMMANDS.replaceRun,
  pauseRun: 'lorafa.pauseRun',
  resumeRun: 'lorafa.resumeRun',
  stopRun: 'lorafa.stopRun',
  resumeFromCheckpoint: SERVER_COMMANDS.resumeFromCheckpoint,
  finishRun: 'lorafa.finishRun',
  trainFurther: 'lorafa.trainFurther',
  openRunPanel: 'lorafa.openRunPanel',
  pinRunPanel: 'lorafa.pinRunPanel',
  compareRuns: 'lorafa.compareRuns',
  duplicateRun: 'lorafa.duplicateRun',
  openRunConfiguration: 'lorafa.openRunConfiguration',
  editRunNote: 'lorafa.editRunNote',
  editRunTags: 'lorafa.editRunTags',
  renameRun: 'lorafa.renameRun',
  revealRun: 'lorafa.revealRun',
  deleteRun: 'lorafa.deleteRun',
  sortRuns: 'lorafa.sortRuns',
  filterRuns: 'lorafa.filterRuns',
  groupRuns: 'lorafa.groupRuns',
  previewData: SERVER_COMMANDS.previewData,
  estimateRun: SERVER_COMMANDS.estimateRun,
  openAsForm: 'lorafa.openAsForm',
  openAsText: 'lorafa.openAsText',
  alwaysForm: 'lorafa.alwaysOpenAsForm',
  alwaysText: 'lorafa.alwaysOpenAsText',
  testAdapter: 'lorafa.testAdapter',
  clickAdapter: 'lorafa.clickAdapter',
  enterAdapter: 'lorafa.enterAdapter',
  chatWithAdapter: 'lorafa.chatWithAdapter',
  exportAdapter: 'lorafa.exportAdapter',
  renameAdapter: 'lorafa.renameAdapter',
  revealAdapter: 'lorafa.revealAdapter',
  deleteAdapter: 'lorafa.deleteAdapter',
  pushAdapter: 'lorafa.pushAdapter',
  runSelection: 'lorafa.runSelection',
  runSelectionWith: 'lorafa.runSelectionWith',
  doctor: 'lorafa.doctor',
  setUpCuda: 'lorafa.setUpCuda',
  signIn: 'lorafa.signIn',
  emptyWeightCache: 'lorafa.emptyWeightCache',
  showLogs: 'lorafa.showLogs',
  refreshViews: 'lorafa.refreshViews',
} as const;

/** One of {@link COMMANDS}. */
export type CommandId = (typeof COMMANDS)[keyof typeof COMMANDS];

/** The container in the activity bar. */
export const VIEW_CONTAINER = 'lorafa';

/** Views inside {@link VIEW_CONTAINER}. */
export const VIEWS = {
  runs: 'lorafa.views.runs',
  adapters: 'lorafa.views.adapters',
  baseModels: 'lorafa.views.baseModels',
  devices: 'lorafa.views.devices',
} as const;

/** The form for `*.lorafa.json`, as it is named in "Reopen Editor With…". */
export const CONFIG_EDITOR = 'lorafa.configEditor';

/** Webview panels; the type under which VS Code restores them after a reload. */
export const PANELS = {
  run: 'lorafa.panels.run',
  comparison: 'lorafa.panels.comparison',
  dataPreview: 'lorafa.panels.dataPreview',
  playground: 'lorafa.panels.playground',
} as const;

/** Under which VS Code's chat knows the models of this extension. */
export const CHAT_VENDOR = 'lorafa';

/** Of documents that are made for reading: the doctor's, estimates. */
export const REPORT_SCHEME = 'lorafa-report';

/** Keys for `when` clauses and enablement, set by the extension. */
export const CONTEXT_KEYS = {
  /** A run is in a state in which it can be paused. */
  canPause: 'lorafa.canPause',
  /** A run is paused. */
  canResume: 'lorafa.canResume',
  /** A run is live, in whatever state. */
  canStop: 'lorafa.canStop',
  /** The workspace has a run, live or past. */
  hasRuns: 'lorafa.hasRuns',
  /** The runs on disk were looked for: where there are none, none are being found. */
  knowsRuns: 'lorafa.knowsRuns',
  /** Steps of the walkthrough that are done. */
  didOpenDemo: 'lorafa.didOpenDemo',
  didStartRun: 'lorafa.didStartRun',
  didWatchRun: 'lorafa.didWatchRun',
  didTestAdapter: 'lorafa.didTestAdapter',
  didConfigure: 'lorafa.didConfigure',
  /** The workspace has a run configuration, so that something can be started. */
  hasConfigurations: 'lorafa.hasConfigurations',
} as const;

/** Settings, without the section that they share ({@link SETTINGS_SECTION}). */
export const SETTINGS = {
  whenBusy: 'runs.whenBusy',
  modelFolders: 'models.folders',
  cudaFolder: 'cuda.folder',
  python: 'accelerate.python',
  /** Read by the language client itself, under its own id. */
  traceServer: 'trace.server',
} as const;

/** First part of the name of every setting, and the id of the language client. */
export const SETTINGS_SECTION = 'lorafa';

/** The files that the language server and the config editor are for. */
export const CONFIG_FILE_PATTERN = '*.lorafa.json';

/** The language of these files: JSON with comments and trailing commas. */
export const CONFIG_LANGUAGE = 'jsonc';

/** What people see in front of messages, in lists of output channels and of problems. */
export const PRODUCT_NAME = 'LoRA-FA';
