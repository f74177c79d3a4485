import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseOverride } from '../../../engine/config/overrides.ts';
import { configFromPeftFlags, type PeftFlagValues } from '../../../server/cli/peft-flags.ts';

/** Flags as on a command line with a local model and data file. */
function flags(texts: Record<string, string> = {}, switches: Partial<PeftFlagValues> = {}) {
  return {
    texts: { base_model_name_or_path: './m', dataset_name_or_path: './d.jsonl', ...texts },
    lorafa: true,
    quantize: false,
    ...switches,
  };
}

describe("the example's command line", () => {
  test("without further flags has the example's defaults", () => {
    expect(configFromPeftFlags(flags())).toMatchObject({
      model: { base_model_name_or_path: path.resolve('m') },
      data: {
        dataset_name_or_path: path.resolve('d.jsonl'),
        eval_split: 0.1,
        format: 'auto',
        apply_chat_template: 'auto',
        completion_only_loss: true,
        max_length: 1024,
        max_bad_rows: 0,
        group_by_length: true,
      },
      lora: {
        r: 16,
        lora_alpha: 32,
        lora_dropout: 0.05,
        target_modules: [
          'q_proj',
          'k_proj',
          'v_proj',
          'o_proj',
          'gate_proj',
          'up_proj',
          'down_proj',
        ],
        rank_pattern: {},
        alpha_pattern: {},
        use_rslora: false,
        bias: 'none',
      },
      training: {
        method: 'lorafa',
        output_dir: path.resolve('trainer_output'),
        num_train_epochs: 3,
        per_device_train_batch_size: 1,
        per_device_eval_batch_size: 1,
        gradient_accumulation_steps: 1,
        learning_rate: 7e-5,
        weight_decay: 0.01,
        adam_beta1: 0.9,
        adam_beta2: 0.999,
        adam_epsilon: 1e-6,
        max_grad_norm: 1,
        lr_scheduler_type: 'linear',
        warmup_steps: 100,
        warmup_ratio: 0,
        logging_steps: 10,
        save_steps: 100,
        save_total_limit: 2,
        seed: 42,
      },
      engine: { device: 'auto', intra_op_num_threads: 0 },
    });
  });

  test('without --lorafa trains plain LoRA', () => {
    const { training } = configFromPeftFlags(flags({}, { lorafa: false }));
    expect(training.method).toBe('lora');
    expect(training.adam_epsilon).toBe(1e-8);
  });

  test.each([
    ['output_dir', './here', { training: { output_dir: path.resolve('here') } }],
    ['output_dir', '123', { training: { output_dir: path.resolve('123') } }],
    ['num_epochs', '0.5', { training: { num_train_epochs: 0.5 } }],
    ['lr', '3e-4', { training: { learning_rate: 3e-4 } }],
    ['cutoff_len', '256', { data: { max_length: 256 } }],
    ['eval_step', '7', { training: { eval_steps: 7, logging_steps: 7 } }],
    ['save_step', '7', { training: { save_steps: 7 } }],
    ['lora_rank', '8', { lora: { r: 8 } }],
    ['lora_alpha', '8', { lora: { lora_alpha: 8 } }],
    ['lora_dropout', '0', { lora: { lora_dropout: 0 } }],
    ['lora_target_modules', 'q_proj, v_proj', { lora: { target_modules: ['q_proj', 'v_proj'] } }],
    ['lora_target_modules', 'all-linear', { lora: { target_modules: 'all-linear' } }],
    ['seed', '7', { training: { seed: 7 } }],
    [
      'batch_size',
      '4',
      { training: { per_device_train_batch_size: 4, per_device_eval_batch_size: 4 } },
    ],
  ])('--%s %s', (name, text, expected) => {
    expect(configFromPeftFlags(flags({ [name]: text }))).toMatchObject(expected);
  });

  test('--set goes over everything', () => {
    const config = configFromPeftFlags(flags({ lr: '1' }), [
      parseOverride('training.learning_rate=2'),
      parseOverride('data.eval_split=null'),
      parseOverride('training.per_device_eval_batch_size=null'),
    ]);
    expect(config.training.learning_rate).toBe(2);
    expect(config.data.eval_split).toBeUndefined();
  });
});

describe('the length of a run', () => {
  const steps = [parseOverride('training.max_steps=7')];

  test("in steps goes over the example's own number of epochs", () => {
    const { training } = configFromPeftFlags(flags(), steps);
    expect(training.max_steps).toBe(7);
  });

  test('is refused in epochs and steps, where both are given', () => {
    expect(() => configFromPeftFlags(flags({ num_epochs: '2' }), steps)).toThrow(
      /^--num_epochs: `training.num_train_epochs` and `training.max_steps` both set/,
    );
  });
});

describe('mistakes', () => {
  test.each([
    ['lora_rank', 'many', '--lora_rank: `lora.r` must be a whole number of at least 1, not "many"'],
    ['lr', '', '--lr: `training.learning_rate` must be a number above 0, not ""'],
    ['cutoff_len', '1.5', '--cutoff_len: `data.max_length` must be a whole number'],
  ])('--%s %j', (name, text, message) => {
    expect(() => configFromPeftFlags(flags({ [name]: text }))).toThrow(message);
  });

  test('a contradiction with a value that has no flag says where that comes from', () => {
    const overrides = [parseOverride('data.eval_dataset_name_or_path=./e.jsonl')];
    expect(() => configFromPeftFlags(flags(), overrides)).toThrow(
      /^the defaults of PEFT's example \(--set can change them\): `data.eval_split` and/,
    );
  });

  test('--quantize is NF4 without double quantization', () => {
    expect(configFromPeftFlags(flags()).model.quantization).toBe('none');
    const { model } = configFromPeftFlags(flags({}, { quantize: true }));
    expect(model).toMatchObject({ quantization: 'nf4', use_double_quant: false });
    const full = [parseOverride('training.method=full')];
    expect(() => configFromPeftFlags(flags({}, { quantize: true }), full)).toThrow(/^--quantize: /);
  });

  test('without names, those of the example on the Hub hold', () => {
    const { model, data } = configFromPeftFlags({ texts: {}, lorafa: true, quantize: false });
    expect(model.base_model_name_or_path).toBe('meta-llama/Meta-Llama-3-8B-Instruct');
    expect(data.dataset_name_or_path).toBe('meta-math/MetaMathQA-40K');
  });
});
