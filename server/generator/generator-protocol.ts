import * as z from 'zod/mini';
import {
  type GenerationAnswer,
  generationSchema,
  modelChoiceSchema,
} from '../protocol/generation.ts';
import { notification, request } from '../rpc/message.ts';

/**
 * Every message between the server and a generator, the process that holds one base model. Both come
 * from one package and a generator ends with its server, so that there are no versions.
 */

/** Server → generator, first: load the model. Answered when it can generate. */
export const openModel = request<null>()(
  'generator/open',
  z.extend(modelChoiceSchema, {
    /** The user's token for the Hugging Face Hub. */
    hubToken: z.optional(z.string()),
  }),
);

/** Generator → server: how far the loading is. */
export const openProgress = notification(
  'generator/progress',
  z.object({ task: z.string(), done: z.number(), total: z.number() }),
);

/** Server → generator: let the model write; cancelled by JSON-RPC's own means, and answered even so. */
export const generateText = request<GenerationAnswer>()('generator/generate', generationSchema);

/** Generator → server: the next piece of a text. */
export const textPiece = notification(
  'generator/piece',
  z.object({ id: z.string(), text: z.string() }),
);

/** Server → generator: the number of tokens of a text. */
export const countTextTokens = request<number>()('generator/count', z.object({ text: z.string() }));
