import * as z from 'zod/mini';
import { notification, request } from '../rpc/message.ts';
import { type RunStatus, runStatusSchema } from './run-status.ts';

/**
 * Every message between a trainer (the process of one run) and those who watch and steer it: the
 * servers of any number of windows, over a local socket. A trainer outlives updates of the
 * extension, so that the two ends may be of different versions.
 */

/** Raised by every change that an older peer would misunderstand. */
export const TRAINER_PROTOCOL_VERSION = 1;

const nothing = z.object({});

/**
 * Watcher → trainer, first: which version the watcher speaks. A trainer of another version answers
 * with the error `wrongVersion`, whose data is {@link trainerVersionSchema}, and a trainer of any
 * version understands this request. After it the watcher gets the notifications below.
 */
export const trainerHello = request<TrainerGreeting>()(
  'trainer/hello',
  z.object({ protocolVersion: z.number() }),
);

/** Schema of {@link TrainerGreeting}. */
export const trainerGreetingSchema = z.object({
  protocolVersion: z.literal(TRAINER_PROTOCOL_VERSION),
  /** The run folder, so that nobody steers the wrong run at an address that was used again. */
  folder: z.string(),
  status: runStatusSchema,
});

/** The trainer's answer to {@link trainerHello}. */
export type TrainerGreeting = Readonly<z.infer<typeof trainerGreetingSchema>>;

/** Data of the error by which a trainer of another version answers. */
export const trainerVersionSchema = z.object({ protocolVersion: z.number() });

/** What a run can be asked to do. */
export const RUN_ACTIONS = ['pause', 'resume', 'stop', 'cancel', 'checkpoint'] as const;

/** One of {@link RUN_ACTIONS}. */
export type RunAction = (typeof RUN_ACTIONS)[number];

/**
 * Watcher → trainer: steer the run. Answered at once with the status that follows; what was asked
 * for happens at the end of the current step and is told by {@link trainerStatus}.
 *
 * - `pause` holds the run after the current step, with everything in memory
 * - `resume` lets a paused run go on
 * - `stop` saves a checkpoint and ends
 * - `cancel` ends without saving; asked for twice, or after a grace period, it ends at once
 * - `checkpoint` saves and goes on
 */
export const trainerControl = request<RunStatus>()(
  'trainer/control',
  z.object({ action: z.enum(RUN_ACTIONS) }),
);

/** Watcher → trainer: where the run stands. Shows also that the trainer answers. */
export const trainerGetStatus = request<RunStatus>()('trainer/getStatus', nothing);

/** Trainer → watcher: the status changed (state, progress, step, loss, memory, …). */
export const trainerStatus = notification('trainer/status', runStatusSchema);

/**
 * Trainer → watcher: journal or log of the run folder grew. Events and log lines do not travel over
 * the socket: every watcher reads them from the files, where none is missing and none comes twice.
 */
export const trainerGrew = notification('trainer/grew', nothing);
