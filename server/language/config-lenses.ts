import type { CodeLens } from 'vscode-languageserver';
import { SERVER_COMMANDS } from '../command-ids.ts';

/** With no-break spaces, since VS Code loses an ordinary one between icon and text. */
const LENSES = [
  { title: '$(play)\u00a0Start run', command: SERVER_COMMANDS.startRun },
  { title: '$(preview)\u00a0Preview data', command: SERVER_COMMANDS.previewData },
  { title: '$(dashboard)\u00a0Estimate', command: SERVER_COMMANDS.estimateRun },
] as const;

/** What can be done with a configuration, above its first line; each command gets its URI. */
export function configLenses(uri: string): CodeLens[] {
  const start = { line: 0, character: 0 };
  return LENSES.map(({ title, command }) => ({
    range: { start, end: start },
    command: { title, command, arguments: [uri] },
  }));
}
