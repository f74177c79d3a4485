/**
 * Commands of the extension that the server names in code lenses. They are declared here because
 * the server does not import the extension, whose `ids.ts` takes them from here.
 */
export const LENS_COMMANDS = {
  startRun: 'lorafa.startRun',
  previewData: 'lorafa.previewData',
  estimateRun: 'lorafa.estimateRun',
} as const;
