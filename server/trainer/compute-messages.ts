import * as z from 'zod/mini';
import type { ResolvedConfig } from '../../engine/config/schema.ts';
import type { TrainEvent } from '../../engine/train/events.ts';

/**
 * Messages between the trainer and its computing process, over the IPC channel of a child process.
 * Both come from one package and start together, so that there are no versions.
 */

/** Trainer → compute. Requests are heard between two optimizer steps. */
export type ComputeRequest =
  | {
      readonly type: 'start';
      readonly config: ResolvedConfig;
      readonly hubToken?: string | undefined;
    }
  /** `id` comes back with `held`, since an answer to an earlier pause may still be on its way. */
  | { readonly type: 'pause'; readonly id: number }
  | { readonly type: 'resume' | 'stop' | 'cancel' | 'checkpoint' };

/** Compute → trainer. */
export type ComputeMessage =
  /** Something happened, and is in the journal if it is of a kind that is kept. */
  | { readonly type: 'event'; readonly event: TrainEvent; readonly memory: ComputeMemory }
  /** The run is paused now. */
  | { readonly type: 'held'; readonly id: number }
  /** The last message: the run came to an end that it knows of. */
  | { readonly type: 'ended'; readonly status: 'completed' | 'stopped' | 'cancelled' }
  /** The last message: the run cannot go on. */
  | { readonly type: 'failed'; readonly code: string; readonly message: string };

/** Memory of the computing process in bytes. */
export interface ComputeMemory {
  readonly resident: number;
  readonly peak: number;
}

const computeMessageSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('event'),
    event: z.looseObject({ type: z.string() }),
    memory: z.object({ resident: z.number(), peak: z.number() }),
  }),
  z.object({ type: z.literal('held'), id: z.number() }),
  z.object({ type: z.literal('ended'), status: z.enum(['completed', 'stopped', 'cancelled']) }),
  z.object({ type: z.literal('failed'), code: z.string(), message: z.string() }),
]);

/** Reads a message of the computing process; undefined for anything else. */
export function parseComputeMessage(message: unknown): ComputeMessage | undefined {
  const parsed = computeMessageSchema.safeParse(message);
  // Of an event only the frame is checked: its content comes from the same package.
  return parsed.success ? (parsed.data as ComputeMessage) : undefined;
}
