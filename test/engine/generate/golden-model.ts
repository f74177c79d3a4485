import { GenerationSessions } from '../../../engine/generate/generation-sessions.ts';
import type { BaseModel } from '../../../engine/models/base-model.ts';
import { openWeights, readDecoderConfig } from '../../../engine/models/hugging-face-folder.ts';
import { goldenPath } from '../../support/golden.ts';

export type GoldenModel = Pick<BaseModel, 'config' | 'weights'>;

/** One of the tiny models of `test/reference/golden/models`; they have no tokenizer. */
export async function goldenModel(name: string): Promise<GoldenModel> {
  const folder = goldenPath('models', name);
  const { config } = await readDecoderConfig(folder);
  return { config, weights: await openWeights(folder, config) };
}

/** Runs with loaded sessions and frees them. */
export async function withSessions<T>(
  model: GoldenModel,
  use: (sessions: GenerationSessions) => Promise<T>,
): Promise<T> {
  const sessions = new GenerationSessions(model, { threads: 1 });
  try {
    return await use(sessions);
  } finally {
    await sessions.release();
  }
}

/** 0, 1, …, count - 1 */
export function range(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}
