import * as z from 'zod/mini';
import type { NvidiaGpu } from '../../engine/runtime/nvidia-smi.ts';
import type { JournalEntry } from '../../engine/train/journal-entry.ts';
import { notification, request } from '../rpc/message.ts';
import { type RunStatus, runStatusSchema, timeSchema } from '../trainer/run-status.ts';
import { RUN_ACTIONS } from '../trainer/trainer-protocol.ts';
import { folder, nothing } from './fields.ts';
import { runNotesChangeSchema, runNotesSchema } from './run-notes-schema.ts';

const measured = z.nullable(z.number());

/** Schema of {@link RunCheckpoint}. */
const checkpointSchema = z.object({
  folder: z.string(),
  step: z.number(),
  /** Losses when it was written, the second of an evaluation at that very step. */
  loss: measured,
  evalLoss: measured,
  /** Whether the run went through it; not where it was left for an earlier one. */
  isCurrent: z.boolean(),
  /** Why it cannot be used, as a clause; null if nothing is known against it. */
  problem: z.nullable(z.string()),
});

/** A checkpoint on disk. */
export type RunCheckpoint = Readonly<z.infer<typeof checkpointSchema>>;

/** Schema of {@link RunSummary}. */
const runSummarySchema = z.object({
  /** Absolute path of the run folder, which is the identity of a run. */
  folder: z.string(),
  /** Short name for people. */
  name: z.string(),
  /** The file that it was started with, if known. */
  configFile: z.nullable(z.string()),
  /** Where it stands: of what is over, the session that came to something. */
  status: runStatusSchema,
  /** A later session that came to nothing, such as a resume that was refused; null without one. */
  attempt: z.nullable(z.pick(runStatusSchema, { state: true, since: true, reason: true })),
  /** When its first session began; null before that. */
  began: z.nullable(timeSchema),
  /** Seconds that its sessions took, as far as they are written down. */
  seconds: z.number(),
  /** Whether a process works on it. */
  isLive: z.boolean(),
  /** False for the runs of the command line, which only their terminal steers, and for past ones. */
  isSteerable: z.boolean(),
  /** Oldest first. */
  checkpoints: z.readonly(z.array(checkpointSchema)),
  /**
   * Folder of the adapter that one tries and passes on: that of the run for its result, otherwise
   * that of the newest checkpoint with one; null while there is none.
   */
  adapter: z.nullable(z.string()),
  /** What people wrote about it. */
  notes: runNotesSchema,
  /** Why nothing is known of a live run but what is stored, or nothing new comes; null where it is heard, or over. */
  unheard: z.nullable(z.string()),
  /** What in its folder is damaged; null if nothing. */
  problem: z.nullable(z.string()),
});

/** A run, live or past, as lists show it. */
export type RunSummary = Readonly<z.infer<typeof runSummarySchema>>;

/**
 * Client → server: all runs of the workspace, live first, then by age. From then on the server
 * tells changes by {@link runChanged}.
 */
export const listRuns = request<readonly RunSummary[]>()('lorafa/runs/list', nothing);

/** Client → server: a run as it is now; null where its folder holds none any more. */
export const lookAtRun = request<RunSummary | null>()('lorafa/runs/look', z.object({ folder }));

/**
 * Client → server: start a run from a configuration file, as it is on disk. Answered when its
 * trainer has taken it on; the configuration is frozen from then on.
 */
export const startRun = request<RunSummary>()(
  'lorafa/runs/start',
  z.object({
    configFile: z.string().check(z.minLength(1)),
    /** Wait for the other runs of this user to end, or run beside them. */
    whenBusy: z.enum(['queue', 'parallel']),
  }),
);

/**
 * Client → server: go on with a run that ended, by the configuration in its folder. Answered like
 * {@link startRun}.
 */
export const resumeRun = request<RunSummary>()(
  'lorafa/runs/resume',
  z.object({
    folder,
    /** Folder of a checkpoint, or `latest`: the newest that can be used, or the start of the run. */
    checkpoint: z.string().check(z.minLength(1)),
    whenBusy: z.enum(['queue', 'parallel']),
    /** Where the base model is, if it is not where it was. */
    baseModel: z.optional(z.string().check(z.minLength(1))),
  }),
);

/**
 * Server → client: which Python the user has chosen in the editor, for a run on Accelerate that is started or resumed; null
 * for none.
 */
export const chosenPython = request<string | null>()(
  'lorafa/python/chosen',
  z.object({ configFile: z.nullable(z.string()) }),
);

/** Client → server: steer a live run; see `trainerControl`. Answered with what follows at once. */
export const controlRun = request<RunStatus>()(
  'lorafa/runs/control',
  z.object({ folder, action: z.enum(RUN_ACTIONS) }),
);

/** The configuration that a run really uses, as plain JSON; null while it is not stored yet. */
export type RunConfig = Readonly<Record<string, unknown>> | null;

/** Client → server: the configuration of a run, to show it and to compare it with another. */
export const getRunConfig = request<RunConfig>()('lorafa/runs/config', z.object({ folder }));

/** Where a run is reported (`training.report_to`), and the commands that show it there. */
export interface RunReports {
  readonly folder: string;
  /** For a POSIX shell, in the order of `report_to`. */
  readonly commands: readonly string[];
}

/** Client → server: see {@link RunReports}; null for a run that reports to no program. */
export const getRunReports = request<RunReports | null>()(
  'lorafa/runs/reports',
  z.object({ folder }),
);

/** What was measured in a run; see `runMetrics`. */
export interface MetricsTable {
  readonly csv: string;
  /** What was left out since it is damaged, as a sentence for people; null if nothing. */
  readonly problem: string | null;
}

/** Client → server: what was measured in a run. */
export const getRunMetrics = request<MetricsTable>()('lorafa/runs/metrics', z.object({ folder }));

/** What of a run's folder goes with the run, and what stays. */
export interface RunFootprint {
  /** Its folder, or only what is its own where there is something else beside it; what tells of the run comes last. */
  readonly paths: readonly string[];
  /** Bytes of all that goes. */
  readonly bytes: number;
  readonly checkpoints: number;
  /** What is not the run's and stays, as paths from its folder. */
  readonly others: readonly string[];
}

/**
 * Client → server: what {@link deleteRun} would remove, to ask before. Refused where that would be.
 */
export const measureRun = request<RunFootprint>()('lorafa/runs/measure', z.object({ folder }));

/**
 * Client → server: remove for good a run that has ended, with its checkpoints and its result. What somebody
 * else has put into its folder stays there. Answered with what was removed, and told by
 * {@link runGone}.
 */
export const deleteRun = request<Omit<RunFootprint, 'paths' | 'checkpoints'>>()(
  'lorafa/runs/delete',
  z.object({ folder }),
);

/**
 * Client → server: keep what people write about a run, in its folder. What is not given stays as it
 * is there: another window may have written it.
 */
export const annotateRun = request<RunSummary>()(
  'lorafa/runs/annotate',
  z.object({ folder, notes: runNotesChangeSchema }),
);

/** Client → server: give the folder of a run that has ended another name, beside where it lies. */
export const renameRun = request<RunSummary>()(
  'lorafa/runs/rename',
  z.object({ folder, name: z.string().check(z.minLength(1)) }),
);

/**
 * Client → server: make a checkpoint of a run that has ended the run's result, as if that had been
 * its last step. The run can still be resumed.
 */
export const finishRun = request<RunSummary>()(
  'lorafa/runs/finish',
  z.object({ folder, checkpoint: z.string().check(z.minLength(1)) }),
);

/**
 * Client → server: send the journal and the log of a run, from the start and then as they grow, by
 * {@link runEvents} and {@link runLog}. Asked for again, it begins again from the start. Answered
 * when all that was on disk has been sent.
 */
export const watchRun = request<null>()('lorafa/runs/watch', z.object({ folder }));

/** Client → server: nobody looks at a run any more. */
export const unwatchRun = request<null>()('lorafa/runs/unwatch', z.object({ folder }));

/** Server → client: a run is new or its status changed. */
export const runChanged = notification('lorafa/runs/changed', runSummarySchema);

/** Server → client: a folder holds no run any more: it was deleted, moved or renamed. */
export const runGone = notification('lorafa/runs/gone', z.object({ folder: z.string() }));

/**
 * Server → client: what NVIDIA's GPUs do, every few seconds while runs compute on them; null where nobody tells just
 * now, and none once no run computes on one.
 */
export const gpusRead = notification(
  'lorafa/runs/gpus',
  z.object({ gpus: z.nullable(z.array(z.custom<NvidiaGpu>())) }),
);

/** Server → client: the next entries of a watched run's journal. */
export const runEvents = notification(
  'lorafa/runs/events',
  z.object({
    folder: z.string(),
    /** These are the first ones: forget what was shown before. */
    isStart: z.boolean(),
    entries: z.readonly(z.array(z.custom<JournalEntry>())),
  }),
);

/** Whose words a line of a log are; `output` is what the computing process printed. */
export type LogLevel = 'info' | 'warning' | 'error' | 'output';

/** One line of a run's log. */
export interface LogLine {
  /** ISO 8601; null where the line has none. */
  readonly time: string | null;
  readonly level: LogLevel;
  readonly text: string;
}

/** Server → client: the next lines of a watched run's log. */
export const runLog = notification(
  'lorafa/runs/log',
  z.object({
    folder: z.string(),
    /** These are the first ones: forget what was shown before. */
    isStart: z.boolean(),
    lines: z.readonly(z.array(z.custom<LogLine>())),
  }),
);
