import * as z from 'zod/mini';
import { notification, request } from '../rpc/message.ts';

/** Schema of {@link ModelChoice}; the generator itself gets the same. */
export const modelChoiceSchema = z.object({
  /** Folder or `.gguf` file of the base model. */
  model: z.string().check(z.minLength(1)),
  /** As `engine.device` in a configuration. */
  device: z.string(),
  /** The frozen weights in NF4, as an adapter's run had them; null: as they are stored. */
  quantization: z.nullable(z.object({ doubleQuant: z.boolean() })),
});

/** A base model, and how it is opened. */
export type ModelChoice = Readonly<z.infer<typeof modelChoiceSchema>>;

/** What to go on from. */
const promptSchema = z.union([
  /** A text to continue. */
  z.object({ text: z.string() }),
  /** A user's turn: answered where the model has a chat template, otherwise continued. */
  z.object({ turn: z.string() }),
  /** A conversation to answer. */
  z.object({
    messages: z.readonly(z.array(z.object({ role: z.string(), content: z.string() }))),
  }),
]);

/** Options of a generation, as in transformers' GenerationConfig; what is left out has its default. */
const generationOptionsSchema = z.object({
  max_new_tokens: z.optional(z.number()),
  temperature: z.optional(z.number()),
  top_k: z.optional(z.number()),
  top_p: z.optional(z.number()),
  repetition_penalty: z.optional(z.number()),
  seed: z.optional(z.number()),
  stop: z.optional(z.readonly(z.array(z.string()))),
});

/** Schema of what to generate; the generator itself gets the same. */
export const generationSchema = z.object({
  /** Chosen by the client: names the generation in {@link generationPiece}. */
  id: z.string(),
  /** Folder of an adapter or checkpoint; null for the base model alone. */
  adapter: z.nullable(z.string()),
  prompt: promptSchema,
  options: generationOptionsSchema,
});

/** See {@link generationSchema}. */
export type Generation = Readonly<z.infer<typeof generationSchema>>;

/** A finished generation. */
export interface GenerationAnswer {
  readonly text: string;
  readonly generatedTokens: number;
  /** 0 where a request was cancelled before it was known. */
  readonly promptTokens: number;
  /** `abort` when the request was cancelled; the text is what there was until then. */
  readonly finishReason: 'stop' | 'length' | 'abort' | 'stop_string';
  /** Tokens per second, from the first token on; null for fewer than two. */
  readonly tokensPerSecond: number | null;
}

/**
 * Client → server: let a model write. The text streams by {@link generationPiece}; a model that is
 * not loaded yet is loaded first, which {@link generationProgress} tells. Side by side is two
 * requests. Cancelled like any request (`$/cancelRequest`); it is still answered.
 */
export const generate = request<GenerationAnswer>()(
  'lorafa/generate',
  z.extend(generationSchema, modelChoiceSchema.shape),
);

/** Server → client: the next piece of a text; often one word. */
export const generationPiece = notification(
  'lorafa/generate/piece',
  z.object({ id: z.string(), text: z.string() }),
);

/** Server → client: a model is being loaded for a generation. */
export const generationProgress = notification(
  'lorafa/generate/progress',
  z.object({ id: z.string(), task: z.string(), done: z.number(), total: z.number() }),
);

/**
 * Client → server: how many tokens a base model's tokenizer makes of a text. The model is loaded
 * for it, as {@link generate} does.
 */
export const countTokens = request<number>()(
  'lorafa/tokens/count',
  z.extend(modelChoiceSchema, { text: z.string() }),
);
