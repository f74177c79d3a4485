import { expect, test } from 'vitest';
import { parseConfig } from '../../../engine/config/parse.ts';
import { accelerateMemory } from '../../../engine/plan/accelerate-memory.ts';
import { planTrainee } from '../../../engine/plan/planned-trainee.ts';
import { decoderConfig } from '../../support/decoder-config.ts';

/** Sections of a configuration. */
interface Changes {
  readonly lora?: object;
  readonly training?: object;
  readonly accelerate?: object;
  readonly keys?: object;
  readonly length?: number;
}

/** The estimate for one row of a Llama of width 256. */
async function memoryOf(changes: Changes, isOnCpu = false) {
  const { lora, training, accelerate, keys, length = 256 } = changes;
  const config = parseConfig(
    JSON.stringify({
      model: { base_model_name_or_path: 'model' },
      data: { dataset_name_or_path: 'rows.jsonl' },
      lora: { r: 8, target_modules: 'all-linear', ...lora },
      training: { output_dir: 'out', gradient_accumulation_steps: 4, ...training },
      engine: { backend: 'accelerate' },
      ...(accelerate !== undefined && { accelerate }),
    }),
    'run.lorafa.json',
  );
  const model = {
    name: 'model',
    config: decoderConfig({
      vocab_size: 4096,
      hidden_size: 256,
      intermediate_size: 704,
      num_hidden_layers: 4,
      num_key_value_heads: 2,
      ...keys,
    }),
  };
  const trainee = await planTrainee(config, model);
  const shape = { rows: 1, length, lossTokens: length };
  return accelerateMemory(config, { model, trainee, isOnCpu, shape });
}

const DEEP = { num_hidden_layers: 8, vocab_size: 1024 };
const LAYER = { gradient_checkpointing: 'layer' };
const HALF = { mixed_precision: 'bf16' };

test.each<[string, Changes, number]>([
  ['float32', {}, 26_861_800],
  ['bfloat16', { accelerate: HALF }, 21_061_864],
  ['LoRA', { training: { method: 'lora' } }, 31_842_536],
  ['layers recomputed', { training: LAYER }, 14_048_232],
  ['dropout', { lora: { lora_dropout: 0.1 } }, 35_250_408],
  ['LoRA, dropout', { lora: { lora_dropout: 0.1 }, training: { method: 'lora' } }, 44_425_448],
  ['deep', { keys: DEEP }, 31_572_424],
  ['deep, bfloat16', { keys: DEEP, accelerate: HALF }, 20_058_568],
  ['deep, layers recomputed', { keys: DEEP, training: LAYER }, 7_962_560],
])("%s: a step takes what PyTorch's allocator gave for it", async (_, changes, measured) => {
  const { activations } = await memoryOf(changes);
  expect(Math.abs(activations / measured - 1)).toBeLessThan(0.04);
});

test('each process holds the whole model, and with others a second gradient', async () => {
  const [one, two, half] = await Promise.all([
    memoryOf({}),
    memoryOf({ accelerate: { num_processes: 2 } }),
    memoryOf({ accelerate: HALF }, true),
  ]);
  expect(two.weights).toBe(one.weights);
  expect(half.weights).toBe(one.weights / 2);
  // B of rank 8 on all layers: q and o, k and v, gate and up, down.
  const trainable = 4 * 8 * (2 * 256 + 2 * 128 + 2 * 704 + 256);
  expect(two.optimizer - one.optimizer).toBe(4 * trainable);
  expect(one.runtime).toBe(0);
  expect(half.runtime).toBeGreaterThan(5e8);
  expect(half.total).toBe(half.weights + half.optimizer + half.activations + half.runtime);
});

const SHARED = { distributed_type: 'fsdp', num_processes: 2 };

// With few tokens most are the layers that are whole at once, of which there are fewer where most are activations.
test.each<[string, Changes, number]>([
  ['float32', { length: 16 }, 13_177_228],
  ['bfloat16', { length: 16, accelerate: HALF }, 7_515_020],
  ['layers recomputed', { length: 16, training: LAYER }, 12_012_668],
  ['many tokens', {}, 39_825_868],
])(
  '%s: of a shared model a process has its part, and for a step what its allocator gave',
  async (_, changes, measured) => {
    const of = (accelerate: object) =>
      memoryOf({ ...changes, keys: DEEP, accelerate: { ...changes.accelerate, ...accelerate } });
    const [whole, shared] = await Promise.all([of({ num_processes: 2 }), of(SHARED)]);
    const step = shared.weights - whole.weights / 2 + shared.activations;
    expect(Math.abs(step / measured - 1)).toBeLessThan(0.08);
    // Gradients are added up in no memory of their own.
    expect(shared.optimizer).toBeLessThan(whole.optimizer / 2);
  },
);
