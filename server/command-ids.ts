/**
 * Commands of the extension that the server names in code lenses and quick fixes. They are declared here because
 * the server does not import the extension, whose `ids.ts` takes them from here.
 */
export const SERVER_COMMANDS = {
  startRun: 'lorafa.startRun',
  previewData: 'lorafa.previewData',
  estimateRun: 'lorafa.estimateRun',
  replaceRun: 'lorafa.replaceRun',
  resumeFromCheckpoint: 'lorafa.resumeFromCheckpoint',
} as const;
