import * as vscode from 'vscode';
import { CONTEXT_KEYS } from '../ids.ts';
import { abilitiesOf, type RunList } from './run-list.ts';
import type { RunStore } from './run-store.ts';

/** Tells VS Code which commands about runs make sense now. */
export function keepContextKeys(store: RunStore): vscode.Disposable {
  const told = new Map<string, boolean>();
  const tell = (key: string, value: boolean): void => {
    if (told.get(key) === value) return;
    told.set(key, value);
    void vscode.commands.executeCommand('setContext', key, value);
  };
  // So that past runs can be opened before anything was asked about them.
  tell(CONTEXT_KEYS.hasRuns, store.hasRuns);
  return store.onDidChange((runs) => {
    tell(CONTEXT_KEYS.knowsRuns, store.isKnown);
    for (const [key, value] of contextValues(runs)) tell(key, value);
  });
}

function contextValues(runs: RunList): readonly (readonly [string, boolean])[] {
  const all = runs.map(abilitiesOf);
  return [
    [CONTEXT_KEYS.canPause, all.some(({ canPause }) => canPause)],
    [CONTEXT_KEYS.canResume, all.some(({ canResume }) => canResume)],
    [CONTEXT_KEYS.canStop, all.some(({ canStop }) => canStop)],
    [CONTEXT_KEYS.hasRuns, runs.length > 0],
  ];
}
