import type { z } from 'zod';
import type { ErrorCode, LorafaError } from '../errors.ts';

/** Makes the error for a config that is broken or asks for something that is not known. */
export type ConfigFailure = (code: ErrorCode, cause: string) => LorafaError;

/** @throws LorafaError `model.corrupt` at the first key that is wrong. */
export function checkKeys<T>(schema: z.ZodType<T>, json: unknown, fail: ConfigFailure): T {
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const field = issue?.path.join('.') || 'the file';
  throw fail('model.corrupt', `"${field}" is wrong (${issue?.message ?? 'no reason given'})`);
}
