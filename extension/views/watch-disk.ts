import path from 'node:path';
import * as vscode from 'vscode';
import { throttle } from '../../server/throttle.ts';
import type { RunList } from '../runs/run-list.ts';
import type { RunStore } from '../runs/run-store.ts';

/** How often the disk is looked at again while much happens on it, in milliseconds. */
const LOOK_MS = 1000;

/** VS Code does not say when it watches; by then it does, in milliseconds. */
const SETTLED_MS = 5000;

/** Folders outside of the workspace that are watched, of which each takes one of the system's watches. */
const MAX_OUTSIDE = 20;

/** What there may be more or less of on disk. */
export interface DiskListener {
  onRuns(): void;
  onAdapters(): void;
  onModels(): void;
}

/**
 * Tells when runs, adapters or models appear on disk or vanish from it, whoever put them there. What
 * is in files is not looked at, but for the configurations, which say where runs are.
 */
export function watchDisk(store: RunStore, listener: DiskListener): vscode.Disposable {
  const runs = throttle(LOOK_MS, () => listener.onRuns());
  const adapters = throttle(LOOK_MS, () => listener.onAdapters());
  const models = throttle(LOOK_MS, () => listener.onModels());

  const appeared = async (uri: vscode.Uri): Promise<void> => {
    const kind = kindOf(path.basename(uri.fsPath));
    if (kind === 'adapter') adapters();
    // A run that goes on writes all the time, and the server tells what comes of it.
    if (isInLiveRun(uri.fsPath, store.runs)) return;
    if (kind === 'run') runs();
    if (kind === 'model') models();
    // A folder that was moved or copied here may hold anything.
    if (kind === undefined && (await isFolder(uri))) all();
  };
  const vanished = (uri: vscode.Uri): void => {
    const kind = kindOf(path.basename(uri.fsPath));
    if (kind === 'adapter') adapters();
    if (kind === 'adapter' || isInLiveRun(uri.fsPath, store.runs)) return;
    if (kind === 'model') models();
    else if (kind === 'run' || isAbove(uri.fsPath, store.runs)) runs();
    // Of a folder that is gone nobody knows what was in it; names of most files have an ending.
    if (kind === undefined && path.extname(uri.fsPath) === '') all();
  };
  const all = (): void => {
    runs();
    adapters();
    models();
  };

  const inside = vscode.workspace.createFileSystemWatcher('**', false, true, false);
  const configs = vscode.workspace.createFileSystemWatcher('**/*.lorafa.json', true, false, true);
  const outside = new Map<string, vscode.Disposable>();
  const watchOutside = (list: RunList): void => {
    for (const folder of foldersOutside(list)) {
      if (outside.has(folder) || outside.size >= MAX_OUTSIDE) continue;
      const pattern = new vscode.RelativePattern(vscode.Uri.file(folder), '*');
      const watcher = vscode.workspace.createFileSystemWatcher(pattern, false, true, false);
      watcher.onDidCreate(() => runs());
      watcher.onDidDelete(() => runs());
      outside.set(folder, watcher);
    }
  };
  // What happened before VS Code watched is told by nobody.
  const secondLook = setTimeout(() => listener.onRuns(), SETTLED_MS);
  return vscode.Disposable.from(
    inside,
    configs,
    inside.onDidCreate(appeared),
    inside.onDidDelete(vanished),
    configs.onDidChange(() => runs()),
    store.onDidChange(watchOutside),
    new vscode.Disposable(() => {
      clearTimeout(secondLook);
      for (const watcher of outside.values()) watcher.dispose();
    }),
  );
}

/** Files by which runs, adapters and models are told, and what is in their folders besides. */
function kindOf(name: string): 'run' | 'adapter' | 'model' | 'none' | undefined {
  if (/^(?:run|state)\.json$|^events\.jsonl$|\.lorafa\.json$/.test(name)) return 'run';
  if (/^adapter_(?:config\.json|model\.safetensors)$/.test(name)) return 'adapter';
  if (/^config\.json$|^model.*\.safetensors$|\.gguf$/i.test(name)) return 'model';
  // What runs make and remove all the time.
  return /^\..*\.tmp$|^checkpoint-\d+(?:\.partial)?$|^run\.lock$/.test(name) ? 'none' : undefined;
}

function isInLiveRun(file: string, runs: RunList): boolean {
  return runs.some(({ isLive, folder }) => isLive && file.startsWith(folder + path.sep));
}

function isAbove(folder: string, runs: RunList): boolean {
  return runs.some((run) => run.folder === folder || run.folder.startsWith(folder + path.sep));
}

/** The folders in which the runs lie that are not in the workspace. */
function foldersOutside(runs: RunList): ReadonlySet<string> {
  const isOutside = ({ folder }: RunList[number]): boolean =>
    vscode.workspace.getWorkspaceFolder(vscode.Uri.file(folder)) === undefined;
  return new Set(runs.filter(isOutside).map(({ folder }) => path.dirname(folder)));
}

function isFolder(uri: vscode.Uri): Promise<boolean> {
  return Promise.resolve(
    vscode.workspace.fs.stat(uri).then(
      ({ type }) => (type & vscode.FileType.Directory) !== 0,
      () => false,
    ),
  );
}
