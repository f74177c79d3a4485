import * as z from 'zod/mini';

/**
 * Where a run stands, as it is stored in the run folder, told by the trainer and shown by the
 * extension.
 */

/** The states of a run; {@link NEXT_STATES} says how they follow each other. */
export const RUN_STATES = [
  /** Waits for other runs of this user to end. */
  'queued',
  /** Opens the model, reads and tokenizes the data. */
  'preparing',
  'running',
  /** Asked to pause, in the middle of a step. */
  'pausing',
  'paused',
  /** Asked to end, in the middle of a step or saving. */
  'stopping',
  /** Over, with its result on disk. */
  'completed',
  /** Ended on request, with a checkpoint to resume from. */
  'stopped',
  /** Ended on request; what was done since the last checkpoint is dropped. */
  'cancelled',
  /** Ended by an error or a crash; the reason is stored. */
  'failed',
] as const;

/** One of {@link RUN_STATES}. */
export type RunState = (typeof RUN_STATES)[number];

/** Which states may follow each state; none after the end. */
export const NEXT_STATES: { readonly [K in RunState]: readonly RunState[] } = {
  queued: ['preparing', 'cancelled', 'failed'],
  preparing: ['running', 'cancelled', 'failed'],
  running: ['pausing', 'stopping', 'completed', 'failed'],
  pausing: ['running', 'paused', 'stopping', 'completed', 'failed'],
  paused: ['running', 'stopping', 'failed'],
  // A run that is asked to stop in its very last step completes.
  stopping: ['stopped', 'cancelled', 'completed', 'failed'],
  completed: [],
  stopped: [],
  cancelled: [],
  failed: [],
};

/** Whether nothing comes after a state. */
export function isFinal(state: RunState): boolean {
  return NEXT_STATES[state].length === 0;
}

/** A moment, ISO 8601 in UTC. */
export const timeSchema = z.iso.datetime();

const count = z.number().check(z.nonnegative());

/** What is wrong with the course of a run; see the engine's `Verdict`, whose kinds these are. */
const verdictSchema = z.object({
  kind: z.enum(['exploded', 'flat', 'memorized', 'overfitted']),
  message: z.string(),
  advice: z.string(),
});

/** See {@link verdictSchema}. */
export type RunVerdict = Readonly<z.infer<typeof verdictSchema>>;

/** Schema of {@link RunStatus}: what other processes say and files hold is checked against it. */
export const runStatusSchema = z.object({
  state: z.enum(RUN_STATES),
  /** Since when. */
  since: timeSchema,
  /** Why the run ended as it did: an `ErrorCode` of the engine and a sentence for people. */
  reason: z.nullable(z.object({ code: z.string(), message: z.string() })),
  /** The part of the preparation that goes on; null before and after. */
  progress: z.nullable(
    z.object({
      task: z.string(),
      done: count,
      total: count,
      /** Bytes, rate and time left, where something is being downloaded. */
      download: z.optional(z.string()),
    }),
  ),
  /** Optimizer steps done and planned; 0 until the first step starts. */
  step: count,
  maxSteps: count,
  /** Of a complete run the step whose model its result is, where that is the best and not the last one. */
  resultStep: z._default(z.nullable(count), null),
  /** Latest losses. */
  loss: z.nullable(z.number()),
  evalLoss: z.nullable(z.number()),
  /** Why the run has not learned; null where nothing says so. Trainers of earlier versions say nothing. */
  verdict: z._default(z.nullable(verdictSchema), null),
  /** The device that computes, e.g. `cuda:0`. */
  device: z.nullable(z.string()),
  /** Time left in seconds, at the rate of this session without its pauses; null while unknown. */
  etaSeconds: z.nullable(z.number()),
  /** Memory of the computing process in bytes, now and at most. */
  memory: z.nullable(z.object({ resident: count, peak: count })),
  /** Folder of the newest checkpoint of this session. */
  checkpoint: z.nullable(z.string()),
  /** Folder of the run that this one waits for. */
  waitsFor: z.nullable(z.string()),
  /** When the computing process was last heard of. Long ago: a long step, or it hangs. */
  heard: z.nullable(timeSchema),
});

/** All that is known of a run without reading its journal. */
export type RunStatus = Readonly<z.infer<typeof runStatusSchema>>;

/** The status of a run that has done nothing yet. */
export function initialStatus(state: RunState, since: string): RunStatus {
  return {
    state,
    since,
    reason: null,
    progress: null,
    step: 0,
    maxSteps: 0,
    resultStep: null,
    loss: null,
    evalLoss: null,
    verdict: null,
    device: null,
    etaSeconds: null,
    memory: null,
    checkpoint: null,
    waitsFor: null,
    heard: null,
  };
}
