import type { RunSummary as RunFacts } from '../../engine/train/events.ts';
import type { LogLine, RunReports, RunSummary } from '../../server/protocol/runs.ts';
import type { RunAction } from '../../server/trainer/trainer-protocol.ts';
import type { AdapterTask } from '../models/adapter-commands.ts';
import type { ConfigRow } from './config-differences.ts';
import type { GpuReading } from './gpu-history.ts';
import type { RunAbilities } from './run-list.ts';
import type { SampleRow } from './sample-rows.ts';

/** What the extension tells a run panel. */
export type RunPanelNews =
  | RunNews
  /** Curves; see `historyRows`. `isStart`: forget the earlier ones. */
  | { readonly type: 'rows'; readonly isStart: boolean; readonly rows: Float64Array }
  /** What its GPU did lately, by ascending time; nothing where nobody tells, or it is over. */
  | { readonly type: 'gpu'; readonly readings: readonly GpuReading[] }
  /** What is fixed since the session began. */
  | { readonly type: 'facts'; readonly facts: RunFacts }
  /** What the session has warned of; `isStart`: forget what an earlier one did. */
  | { readonly type: 'warnings'; readonly isStart: boolean; readonly messages: readonly string[] }
  | ChatNews
  | { readonly type: 'samples'; readonly isStart: boolean; readonly rows: readonly SampleRow[] }
  | { readonly type: 'log'; readonly isStart: boolean; readonly lines: readonly LogLine[] }
  | ConfigNews;

/** Where the run stands, in words and numbers. */
export interface RunNews {
  readonly type: 'run';
  readonly run: RunSummary;
  readonly abilities: RunAbilities;
  /** The state's name in the user's language. */
  readonly stateLabel: string;
  /** The state and what is wrong with the course of the run; null if nothing is. */
  readonly verdictLabel: string | null;
  /** What it is doing, in a few words. */
  readonly description: string;
  /** Why it ended, or what is wrong with it; empty where there is nothing to say. */
  readonly reason: string;
  /** Folder of the checkpoint with the lowest evaluation loss; null without any. */
  readonly bestCheckpoint: string | null;
  /** Folder of the checkpoint that is the result already; null where none is. */
  readonly resultCheckpoint: string | null;
  /** Why it cannot be resumed from a checkpoint now; null where it can. */
  readonly noResume: string | null;
  /** What came of a later attempt that came to nothing; null without one. */
  readonly attempt: string | null;
  /** When it began and how long it took, as people say it; null before that. */
  readonly began: string | null;
  readonly duration: string | null;
  /** The device that computes, with what it is if that is known; null before it was chosen. */
  readonly device: string | null;
  /** What its GPU does now; null where that is not known. */
  readonly gpu: string | null;
  /** Time left as people say it; null while unknown. */
  readonly timeLeft: string | null;
}

/** Whether one can chat with an adapter of the run; null where nobody knows, so that one may try. */
export interface ChatNews {
  readonly type: 'chat';
  /** Its folder. */
  readonly adapter: string;
  readonly isPossible: boolean | null;
}

/** The configuration of the run, beside that of another one if the page asked for it. */
export interface ConfigNews {
  readonly type: 'config';
  readonly rows: readonly ConfigRow[];
  /** Where the run is reported; null where it is not. */
  readonly reports: RunReports | null;
  /** Folder of the run in the second column; null without one. */
  readonly comparedWith: string | null;
  /** Runs that it can be compared with. */
  readonly others: readonly { readonly folder: string; readonly name: string }[];
}

/** What a run panel asks of the extension. */
export type RunPanelRequest =
  /** Its script runs; everything is sent from the start. */
  | { readonly type: 'ready' }
  /** Put this run's configuration beside; null for none. */
  | { readonly type: 'compareConfig'; readonly folder: string | null }
  | RunPanelTask;

/** What a button of the panel is for. */
export type RunPanelTask =
  | { readonly type: 'control'; readonly action: RunAction }
  /**
   * `folder`: that of the checkpoint, that of the run for its final adapter, `latest` to resume from
   * the newest checkpoint that is whole, or `ask` to let the user choose.
   */
  | { readonly type: 'checkpoint'; readonly task: CheckpointTask; readonly folder: string }
  | { readonly type: 'open'; readonly what: 'configFile' | 'folder' }
  | { readonly type: 'export' };

/** What can be done with a checkpoint. */
export type CheckpointTask = AdapterTask | 'resume' | 'further' | 'reveal' | 'finish';

/** What a page keeps over a reload of the window. */
export interface RunPanelState {
  /** The run that the panel shows; all else is read again. */
  readonly folder: string;
  readonly smoothing?: number;
  readonly isLogScale?: boolean;
  readonly tab?: string;
}
