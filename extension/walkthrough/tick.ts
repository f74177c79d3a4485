import * as vscode from 'vscode';
import { CONTEXT_KEYS } from '../ids.ts';

/** The keys by which the manifest's walkthrough knows that a step is done. */
const KEYS = {
  demo: CONTEXT_KEYS.didOpenDemo,
  run: CONTEXT_KEYS.didStartRun,
  watch: CONTEXT_KEYS.didWatchRun,
  test: CONTEXT_KEYS.didTestAdapter,
  own: CONTEXT_KEYS.didConfigure,
} as const;

const ticked = new Set<keyof typeof KEYS>();

/** Ticks a step of the walkthrough off: what it asks for was done, and not only begun. */
export function tick(step: keyof typeof KEYS): void {
  if (ticked.has(step)) return;
  ticked.add(step);
  void vscode.commands.executeCommand('setContext', KEYS[step], true);
}
