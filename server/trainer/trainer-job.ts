import * as z from 'zod/mini';
import type { ResolvedConfig } from '../../engine/config/schema.ts';
import { configSchema } from '../../engine/config/schema.ts';

/** What to do where other runs of this user are going on. */
export const WHEN_BUSY = ['queue', 'parallel'] as const;

/** One of {@link WHEN_BUSY}. */
export type WhenBusy = (typeof WHEN_BUSY)[number];

const trainerJobSchema = z.object({
  /** Checked again here: the two processes may come from different versions. */
  config: configSchema,
  configFile: z.nullable(z.string()),
  whenBusy: z.enum(WHEN_BUSY),
  /** Where the runs of this user are registered. */
  registryFolder: z.string(),
  hubToken: z.optional(z.string()),
});

/** Starter → new trainer, over the IPC channel: the run to do. */
export interface TrainerJob {
  readonly config: ResolvedConfig;
  /** The file that the configuration was read from, for people. */
  readonly configFile: string | null;
  readonly whenBusy: WhenBusy;
  readonly registryFolder: string;
  /** The user's token for the Hugging Face Hub, which is written nowhere. */
  readonly hubToken?: string | undefined;
}

/** Reads a job. Throws zod's error for anything else. */
export function parseTrainerJob(message: unknown): TrainerJob {
  return trainerJobSchema.parse(message);
}

/** New trainer → starter, over the IPC channel: whether the run was taken on. */
export const trainerReplySchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ready'), address: z.string() }),
  z.object({ type: z.literal('refused'), code: z.string(), message: z.string() }),
]);

/** See {@link trainerReplySchema}. */
export type TrainerReply = Readonly<z.infer<typeof trainerReplySchema>>;

/**
 * Starter → new trainer, last: it knows that the run was taken on. Before it hears this a trainer
 * computes nothing, and one whose channel ends before has been given up, so that a start that
 * failed leaves nothing behind.
 */
export const TAKEN_NOTE = { type: 'taken' } as const;

/** Whether a message is {@link TAKEN_NOTE}. */
export function isTakenNote(message: unknown): boolean {
  return z.object({ type: z.literal(TAKEN_NOTE.type) }).safeParse(message).success;
}
