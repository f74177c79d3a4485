import { expect, test } from 'vitest';
import { configSchema } from '../../../engine/config/schema.ts';
import type { StepQuestion } from '../../../engine/plan/memory.ts';
import { planTrainee } from '../../../engine/plan/planned-trainee.ts';
import { stepSpec } from '../../../engine/step/step-spec.ts';
import { describeQuantized } from '../../../engine/weights/quantization.ts';
import {
  inspectMemory,
  memoryFindings,
} from '../../../server/language/inspection/memory-findings.ts';
import { decoderConfig } from '../../support/decoder-config.ts';
import { describedModel } from '../../support/described-model.ts';

/** A model of four wide layers. */
function wideModel() {
  const wide = decoderConfig({
    hidden_size: 2048,
    intermediate_size: 8192,
    num_hidden_layers: 4,
    num_attention_heads: 32,
    num_key_value_heads: 8,
    tie_word_embeddings: true,
  });
  return describedModel(wide, 'BF16');
}

/** The quick fixes for a run that may use a share of what its base saves in NF4. */
async function remedies(changes: { model?: object; training?: object; lora?: object }) {
  const config = configSchema.parse({
    ...changes,
    model: { base_model_name_or_path: 'wide', ...changes.model },
    data: { dataset_name_or_path: 'rows.jsonl' },
    training: { output_dir: 'out', gradient_checkpointing: 'layer', ...changes.training },
  });
  const model = wideModel();
  const question: StepQuestion = {
    ...stepSpec(config, model, await planTrainee(config, model)),
    shape: { rows: 1, length: 64, lossTokens: 64 },
  };
  const total = (asked: StepQuestion) => inspectMemory(config, asked, Infinity)!.estimate.total;
  const saved =
    total(question) -
    total({ ...question, model: describeQuantized(model, { kind: 'nf4', doubleQuant: false }) });
  const facts = inspectMemory(config, question, total(question) - saved / 2)!;
  const [found] = await memoryFindings(config, question, facts);
  return { saved, remedies: found!.remedies };
}

const NF4 = { kind: 'set', values: [{ path: ['model', 'quantization'], value: 'nf4' }] };

test('NF4 is offered where it makes a run fit', async () => {
  const { saved, remedies: offered } = await remedies({});
  // 349 MB in the 243 million weights; one of them in float32 is made either way.
  expect(saved).toBeGreaterThan(345e6);
  expect(saved).toBeLessThan(353e6);
  expect(offered).toContainEqual(NF4);
});

test('but not to one that has it already', async () => {
  const { remedies: offered } = await remedies({ model: { quantization: 'nf4' } });
  expect(offered).not.toContainEqual(NF4);
});

test('recomputing is offered where it makes a run fit', async () => {
  const config = configSchema.parse({
    model: { base_model_name_or_path: 'wide' },
    data: { dataset_name_or_path: 'rows.jsonl' },
    training: { output_dir: 'out', gradient_checkpointing: 'none' },
  });
  const model = wideModel();
  const question: StepQuestion = {
    ...stepSpec(config, model, await planTrainee(config, model)),
    shape: { rows: 4, length: 512, lossTokens: 2048 },
  };
  const { estimate } = inspectMemory(config, question, Infinity)!;
  const facts = inspectMemory(config, question, estimate.total - estimate.activations / 6)!;
  const [found] = await memoryFindings(config, question, facts);
  expect(found!.remedies).toContainEqual({
    kind: 'set',
    values: [{ path: ['training', 'gradient_checkpointing'], value: 'attention' }],
  });
});
