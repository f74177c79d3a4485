import { z } from 'zod';
import { SIZED } from '../sized.ts';
import { float32 } from './float32.ts';

const schedulerKwargs = z.strictObject({
  min_lr: float32().min(0).exactOptional().describe('Final learning rate. Excludes `min_lr_rate`.'),
  min_lr_rate: z
    .number()
    .min(0)
    .max(1)
    .exactOptional()
    .describe('Final learning rate as a share of `learning_rate`. Excludes `min_lr`.'),
});

/** Programs that show runs, by transformers' names. */
export const REPORT_TARGETS = ['tensorboard', 'mlflow', 'wandb'] as const;

/** See {@link REPORT_TARGETS}. */
export type ReportTarget = (typeof REPORT_TARGETS)[number];

const everySteps = z.int().min(1);

/** Of more the steps of a run can no more be counted. */
const MAX_EPOCHS = 1e6;

/**
 * `adam_epsilon` where a configuration leaves it out: the default of PEFT's `LoraFAOptimizer`, and that
 * of TrainingArguments.
 */
const ADAM_EPSILON = { lorafa: 1e-6, lora: 1e-8, full: 1e-8 } as const;

/** Section `training`: the method, and the fields of transformers' TrainingArguments. */
export const trainingSection = z
  .strictObject({
    method: z
      .enum(['lorafa', 'lora', 'full'])
      .default('lorafa')
      .describe(
        '`lorafa` trains only the B matrices of the adapter and needs the least memory; `lora` trains A and B; `full` trains every weight of the model (for tiny models).',
      ),
    output_dir: z
      .string()
      .min(1, SIZED)
      .meta({ format: 'folder-path' })
      .describe(
        'Folder for checkpoints and the result. It is made if missing; a folder that holds other things is refused. A relative path starts at the folder of this file.',
      ),
    num_train_epochs: z
      .number()
      .gt(0)
      .max(MAX_EPOCHS)
      .default(3)
      .describe('Passes over the training data; fractions are allowed. Excludes `max_steps`.'),
    max_steps: z
      .int()
      .min(1)
      .exactOptional()
      .describe(
        'Optimizer steps of the run, however many passes they make. Excludes `num_train_epochs`.',
      ),
    per_device_train_batch_size: z
      .int()
      .min(1)
      .default(1)
      .describe(
        'Rows per batch. Memory grows with it. With `data.packing` a row holds several examples.',
      ),
    per_device_eval_batch_size: z
      .int()
      .min(1)
      .exactOptional()
      .describe('Rows per batch of an evaluation. Default: `per_device_train_batch_size`.'),
    gradient_accumulation_steps: z
      .int()
      .min(1)
      .default(1)
      .describe(
        'Batches per optimizer step. The step is that of one batch of all their rows: every supervised token counts the same.',
      ),
    gradient_checkpointing: z
      .enum(['none', 'attention', 'layer', 'auto'])
      .default('auto')
      .describe(
        'What the backward pass computes again instead of keeping it in memory: `none`; `attention` (what is cheap: attention probabilities, norms, activations); `layer` (everything between two layers, about a third more time). `auto` takes the least that fits into memory. The result is the same.',
      ),
    learning_rate: float32()
      .gt(0)
      .default(3e-4)
      .describe(
        'Peak learning rate. The default suits LoRA-FA; `1e-4` to `2e-4` are usual for `lora`, `1e-5` to `5e-5` for `full`.',
      ),
    weight_decay: float32().min(0).default(0.01).describe('Decoupled weight decay, as in AdamW.'),
    adam_beta1: z.number().min(0).lt(1).default(0.9).describe("Decay of Adam's first moment."),
    adam_beta2: z.number().min(0).lt(1).default(0.999).describe("Decay of Adam's second moment."),
    adam_epsilon: float32()
      .gt(0)
      .exactOptional()
      .describe(
        "Added to Adam's denominator. Default: `1e-6` with the method `lorafa`, as PEFT's LoRA-FA optimizer has it; `1e-8` with `lora` and `full`, as transformers' Trainer has it.",
      ),
    max_grad_norm: float32()
      .min(0)
      .default(1)
      .describe('Gradients with a larger norm are scaled down to it; 0 turns this off.'),
    lr_scheduler_type: z
      .enum(['constant', 'constant_with_warmup', 'linear', 'cosine', 'cosine_with_min_lr'])
      .default('cosine')
      .describe('How the learning rate goes on after warm-up.'),
    lr_scheduler_kwargs: schedulerKwargs
      .exactOptional()
      .describe('For `cosine_with_min_lr`: where it ends. Exactly one of its two keys is given.'),
    warmup_steps: z
      .int()
      .min(0)
      .default(0)
      .describe('Steps over which the learning rate rises from 0. Excludes `warmup_ratio`.'),
    warmup_ratio: z
      .number()
      .min(0)
      .lt(1)
      .default(0)
      .describe('The same as a share of all steps; `0.03` is usual. Excludes `warmup_steps`.'),
    logging_steps: everySteps.default(1).describe('Report loss and speed every so many steps.'),
    eval_steps: everySteps
      .exactOptional()
      .describe(
        'Evaluate on the held-out data every so many steps. Default: at the end of every epoch and of the run.',
      ),
    eval_on_start: z
      .boolean()
      .default(true)
      .describe(
        'Evaluate before the first step too, so that the run can tell whether it has become better than the model that it began with.',
      ),
    save_steps: everySteps
      .default(100)
      .describe('Write a checkpoint every so many steps; the end of the run always writes one.'),
    sample_prompts: z
      .array(z.string().min(1, SIZED))
      .min(1, SIZED)
      .exactOptional()
      .describe(
        'Prompts that the model answers now and then while it learns, so that you can read what it has learned. They go through the chat template as `data.apply_chat_template` says, and are answered greedily with at most 64 tokens.',
      ),
    sample_steps: everySteps
      .exactOptional()
      .describe('Answer `sample_prompts` every so many steps. Default: at every checkpoint.'),
    save_total_limit: z
      .int()
      .min(1)
      .default(2)
      .describe(
        'Keep this many checkpoints. Those that the run left behind go first, then the oldest.',
      ),
    load_best_model_at_end: z
      .boolean()
      .default(false)
      .describe(
        'Make the model with the best evaluation the result, instead of the last one. Every evaluation that is the best so far writes a checkpoint, and the best one is kept whatever `save_total_limit` says.',
      ),
    metric_for_best_model: z
      .enum(['eval_loss', 'eval_perplexity'])
      .default('eval_loss')
      .describe(
        'What an evaluation is judged by. Both find the same model best; `early_stopping_threshold` is in its unit.',
      ),
    early_stopping_patience: z
      .int()
      .min(1)
      .exactOptional()
      .describe(
        'End the run when so many evaluations, one after the other, are no better than the best one before them.',
      ),
    early_stopping_threshold: z
      .number()
      .min(0)
      .default(0)
      .describe('By more than this must an evaluation be better to count as better there.'),
    report_to: z
      .array(z.enum(REPORT_TARGETS))
      .default([])
      .describe(
        'Write the curves of the run, its configuration and its sample answers for these programs too, into `logging_dir`. Nothing is sent anywhere.',
      ),
    logging_dir: z
      .string()
      .min(1, SIZED)
      .meta({ format: 'folder-path' })
      .exactOptional()
      .describe(
        'Folder for what `report_to` says. Runs may share one, so that the program shows them beside each other. Default: the folder `runs` in `output_dir`.',
      ),
    seed: z
      .int()
      .min(0)
      .default(42)
      .describe(
        'Decides the start of the adapter, the order of the rows, dropout and the held-out rows.',
      ),
    resume_from_checkpoint: z
      .string()
      .min(1, SIZED)
      .meta({ format: 'folder-path' })
      .exactOptional()
      .describe(
        'Go on from this checkpoint folder. `"latest"` is the newest one of the run in `output_dir` that is whole, or its start where there is none. The continued run equals one that was never stopped.',
      ),
  })
  .describe("The training run: the fields of transformers' TrainingArguments.");

/** Fills in the defaults that depend on the method. */
export function withMethodDefaults(
  training: z.output<typeof trainingSection>,
): z.output<typeof trainingSection> & { readonly adam_epsilon: number } {
  return { ...training, adam_epsilon: training.adam_epsilon ?? ADAM_EPSILON[training.method] };
}
