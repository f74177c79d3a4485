import { expect, test } from 'vitest';
import { configSchema } from '../../../engine/config/schema.ts';
import { bytesKept, estimateMemory, type StepQuestion } from '../../../engine/plan/memory.ts';
import { planTrainee } from '../../../engine/plan/planned-trainee.ts';
import { stepSpec } from '../../../engine/step/step-spec.ts';
import type { TrainingShape } from '../../../engine/step/training-graph.ts';
import { decoderConfig } from '../../support/decoder-config.ts';
import { describedModel } from '../../support/described-model.ts';

/** A run of a small Llama on a CUDA device, whose largest batch has four rows of 64 tokens. */
async function runOnCuda(): Promise<StepQuestion> {
  const config = configSchema.parse({
    model: { base_model_name_or_path: 'model' },
    data: { dataset_name_or_path: 'rows.jsonl' },
    training: { output_dir: 'out' },
  });
  const model = describedModel(decoderConfig());
  return {
    ...stepSpec(config, model, await planTrainee(config, model)),
    device: { kind: 'cuda', index: 0 },
    shape: ofLength(64),
  };
}

function ofLength(length: number): TrainingShape {
  return { rows: 4, length, lossTokens: 4 * length };
}

test('other shapes of batches leave something between the blocks of an arena, which a run does not keep', async () => {
  const question = await runOnCuda();
  const several = { ...question, others: [ofLength(56), ofLength(40)] };
  const [alone, all] = [question, several].map((each) =>
    estimateMemory({ ...each, recompute: 'layer' }),
  );
  expect(all!.total).toBeGreaterThan(alone!.total);
  expect(bytesKept(several)).toBe(bytesKept(question));
  expect(bytesKept(question)).toBe(alone!.total - alone!.activations);
});
