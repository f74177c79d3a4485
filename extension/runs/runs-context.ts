import type * as vscode from 'vscode';
import type { FolderMove } from '../folder-move.ts';
import type { ServerLink } from '../server-link.ts';
import type { RenamedRuns } from './renamed-runs.ts';
import type { RunFeed } from './run-feed.ts';
import type { RunStore } from './run-store.ts';

/** What everything that shows or steers runs works with. */
export interface RunsContext {
  readonly extensionUri: vscode.Uri;
  readonly log: vscode.LogOutputChannel;
  readonly server: ServerLink;
  readonly store: RunStore;
  readonly feed: RunFeed;
  /** Fires when a run or an adapter has another name. */
  readonly moves: vscode.EventEmitter<FolderMove>;
  readonly renamed: RenamedRuns;
}
