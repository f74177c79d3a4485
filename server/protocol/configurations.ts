import * as z from 'zod/mini';
import type { RunEstimate } from '../../engine/plan/estimate-run.ts';
import type { MeasuredSpeed } from '../../engine/train/measure-speed.ts';
import { notification, request } from '../rpc/message.ts';
import type { EarlierSpeed } from '../runs/earlier-speed.ts';

/** A place in a file; lines and characters count from 0. */
interface Position {
  readonly line: number;
  readonly character: number;
}

/** A change of a text. */
export interface TextChange {
  readonly start: Position;
  readonly end: Position;
  readonly text: string;
}

/** A quick fix. */
export interface ConfigFix {
  readonly title: string;
  /** What changes in the text first; null if nothing. */
  readonly edit: TextChange | null;
  /** The command that is run then; null if none. */
  readonly command: { readonly id: string; readonly arguments: readonly unknown[] } | null;
}

/** The quick fixes of an open configuration. */
export interface ConfigFixes {
  /** The version of the text that they are for. */
  readonly version: number;
  readonly problems: readonly {
    readonly message: string;
    readonly start: Position;
    readonly fixes: readonly ConfigFix[];
  }[];
}

/** Client → server: the quick fixes of each problem of an open configuration, as the form shows them. */
export const listFixes = request<ConfigFixes>()(
  'lorafa/config/fixes',
  z.object({ uri: z.string() }),
);

/**
 * Client → server: the text of a configuration, changed to begin with an adapter and to leave out what that
 * decides.
 */
export const configWithAdapter = request<{ readonly text: string }>()(
  'lorafa/config/withAdapter',
  z.object({
    text: z.string(),
    /** As it is to stand in the text. */
    adapter: z.string().check(z.minLength(1)),
  }),
);

/** A mistake in a configuration, for which no run of it starts. */
export interface CheckedProblem {
  readonly message: string;
  /** The key or value; empty where the text is broken. */
  readonly path: readonly (string | number)[];
  readonly start: Position;
  readonly end: Position;
}

/** A way to go on where a run is in the way. */
export interface StartWay {
  readonly title: string;
  readonly detail: string;
  /** What changes in the text first; null if nothing. */
  readonly edit: TextChange | null;
  readonly step: 'start' | 'resume' | 'replace';
}

/** Whether a run of a configuration can be started. */
export interface RunCheck {
  readonly problems: readonly CheckedProblem[];
  /** The run that is in the output folder, and what can be done; null if none is. */
  readonly occupied: {
    readonly folder: string;
    readonly ways: readonly StartWay[];
  } | null;
}

/** Client → server: what is known against starting a configuration, as it is on disk. */
export const checkRun = request<RunCheck>()(
  'lorafa/runs/check',
  z.object({ configFile: z.string().check(z.minLength(1)) }),
);

/** What a run would take. */
export interface EstimateAnswer {
  readonly estimate: RunEstimate;
  /** How fast an earlier run trained the same model with the same settings; null if none did. */
  readonly earlier: EarlierSpeed | null;
}

/**
 * Client → server: what a run of a configuration, as it is on disk, would take: memory, steps,
 * parameters and tokens, from all of its data. {@link estimateProgress} tells how far it is.
 * Cancelled like any request (`$/cancelRequest`).
 */
export const estimateRun = request<EstimateAnswer>()(
  'lorafa/estimate',
  z.object({ configFile: z.string().check(z.minLength(1)) }),
);

/** Server → client: how far the estimate of a configuration is. */
export const estimateProgress = notification(
  'lorafa/estimate/progress',
  z.object({ configFile: z.string(), task: z.string(), done: z.number(), total: z.number() }),
);

/**
 * Client → server: time a few real steps of a configuration, as it is on disk; what `lorafa measure
 * --json` prints. Cancelled like any request (`$/cancelRequest`), which ends the process.
 */
export const timeSteps = request<MeasuredSpeed>()(
  'lorafa/estimate/time',
  z.object({ configFile: z.string().check(z.minLength(1)) }),
);
