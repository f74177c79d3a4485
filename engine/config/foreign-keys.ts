/**
 * Keys of other programs' configurations (transformers, PEFT, TRL, LLaMA-Factory, Axolotl, Unsloth) that are none
 * here, by what they are called here: the same value means the same.
 */
const RENAMED: Readonly<Record<string, readonly string[]>> = {
  'model.base_model_name_or_path': [
    'base_model',
    'model_id',
    'model_name',
    'model_name_or_path',
    'pretrained_model_name_or_path',
  ],
  'model.use_double_quant': ['bnb_4bit_use_double_quant', 'double_quantization'],
  'data.dataset_name_or_path': [
    'data_files',
    'data_path',
    'dataset',
    'dataset_name',
    'dataset_path',
    'train_data',
    'train_dataset',
    'train_file',
  ],
  'data.eval_dataset_name_or_path': [
    'eval_data',
    'eval_dataset',
    'validation_file',
    'val_data',
    'val_dataset',
  ],
  'data.eval_split': ['test_size', 'val_set_size', 'val_size', 'validation_split'],
  'data.max_length': [
    'block_size',
    'cutoff_len',
    'max_seq_len',
    'max_seq_length',
    'model_max_length',
    'seq_len',
    'sequence_len',
    'sequence_length',
  ],
  'data.text_column': ['dataset_text_field', 'text_field'],
  'data.packing': ['sample_packing'],
  'lora.r': ['lora_r', 'lora_rank', 'rank'],
  'lora.lora_alpha': ['alpha'],
  'lora.target_modules': ['lora_target', 'lora_target_modules'],
  'lora.layers_to_transform': ['peft_layers_to_transform'],
  'lora.use_rslora': ['peft_use_rslora'],
  'lora.init_adapter': ['adapter_name_or_path', 'lora_model_dir'],
  'training.num_train_epochs': ['epochs', 'num_epochs'],
  'training.per_device_train_batch_size': [
    'batch_size',
    'micro_batch_size',
    'per_gpu_train_batch_size',
    'train_batch_size',
  ],
  'training.per_device_eval_batch_size': ['eval_batch_size', 'per_gpu_eval_batch_size'],
  'training.gradient_accumulation_steps': ['accumulate_grad_batches', 'grad_accumulation_steps'],
  'training.learning_rate': ['lr'],
  'training.lr_scheduler_type': ['lr_scheduler', 'scheduler'],
  'training.max_grad_norm': ['gradient_clip_val', 'gradient_clipping'],
  'training.seed': ['data_seed', 'random_seed', 'random_state'],
};

/** Keys whose values say something else than any key here, and the end of a sentence with what to do instead. */
const ANSWERS: readonly (readonly [names: readonly string[], answer: string])[] = [
  [['save_strategy'], 'a checkpoint is written every `training.save_steps` steps and at the end'],
  [
    ['do_eval', 'eval_strategy', 'evaluation_strategy'],
    'a run with held-out rows (`data.eval_split`) evaluates every `training.eval_steps` steps, without that key after each epoch',
  ],
  [
    ['evals_per_epoch', 'saves_per_epoch'],
    '`training.eval_steps` and `training.save_steps` count steps',
  ],
  [
    ['logging_first_step', 'logging_strategy'],
    'loss and speed are told every `training.logging_steps` steps',
  ],
  [
    ['load_in_4bit', 'bnb_4bit_quant_type', 'quantization_bit', 'quantization_config'],
    'set `model.quantization` to "nf4" for a base model in four bits',
  ],
  [
    ['load_in_8bit', 'bnb_4bit_compute_dtype'],
    '`model.quantization` stores the base model in four bits ("nf4"), `engine.compute` says in what is multiplied',
  ],
  [
    ['bf16', 'fp16', 'pure_bf16'],
    'sums are kept in float32; `engine.compute` says in what is multiplied, such as "bfloat16", and `accelerate.mixed_precision` where that backend computes',
  ],
  [
    ['dtype', 'torch_dtype', 'float16', 'bfloat16'],
    'the base model is read as it is stored; `engine.compute` says in what is multiplied',
  ],
  [
    ['optim', 'optimizer', 'optim_args'],
    'the optimizer is AdamW, with the projection of LoRA-FA by `training.method`; its numbers are `training.adam_beta1` and the keys beside it',
  ],
  [
    ['adapter', 'finetuning_type', 'peft_type', 'use_peft', 'tuner_type', 'train_type'],
    '`training.method` is "lorafa", "lora" or "full"; QLoRA is one of the first two with `model.quantization` "nf4"',
  ],
  [
    ['lora_target_linear'],
    'set `lora.target_modules` to "all-linear", which it is unless it is given',
  ],
  [
    ['modules_to_save', 'lora_modules_to_save', 'additional_target'],
    'only adapters of linear layers are trained, or with `training.method` "full" every weight',
  ],
  [
    ['use_dora', 'init_lora_weights', 'loftq_config', 'lora_bias', 'layers_pattern'],
    'of PEFT’s LoraConfig there are the keys of the section `lora`, and all else is as PEFT has it by default',
  ],
  [
    ['task_type', 'inference_mode', 'fan_in_fan_out', 'stage', 'do_train', 'overwrite_output_dir'],
    'leave it out: here it could have one value only',
  ],
  [['datasets'], '`data.dataset_name_or_path` names the rows, and `data.mix` further sets'],
  [
    ['max_train_samples', 'max_samples'],
    'a slice in `data.dataset_name_or_path` takes some of the rows, as "train.jsonl[:1000]" does',
  ],
  [
    ['train_on_inputs', 'train_on_prompt'],
    'set `data.completion_only_loss` to false where prompts are to be learned too',
  ],
  [
    ['template', 'formatting_func', 'prompt_format', 'dataset_kwargs'],
    'rows go through the model’s chat template, or `data.chat_template`; `data.prompt_template` and `data.completion_template` build others',
  ],
  [
    ['use_gradient_checkpointing', 'gradient_checkpointing_kwargs'],
    '`training.gradient_checkpointing` is "none", "attention", "layer" or "auto"',
  ],
  [
    [
      'attn_implementation',
      'flash_attention',
      'flash_attn',
      'sdp_attention',
      'use_flash_attention_2',
      'xformers_attention',
    ],
    'leave it out: attention is computed in blocks, without a choice',
  ],
  [['device_map', 'no_cuda', 'use_cpu'], '`engine.device` says where the model runs'],
  [
    ['accelerator_config', 'ddp_find_unused_parameters', 'deepspeed', 'local_rank'],
    'a run computes on one device, or with `engine.backend` "accelerate" in several processes that share its batches',
  ],
  [
    ['fsdp', 'fsdp_config', 'fsdp_transformer_layer_cls_to_wrap'],
    '`accelerate.distributed_type` "fsdp" divides each layer among the processes of `accelerate.num_processes`',
  ],
  [
    [
      'dataloader_num_workers',
      'dataset_num_proc',
      'preprocessing_num_workers',
      'remove_unused_columns',
    ],
    'leave it out: rows are read while the run computes',
  ],
  [
    ['push_to_hub', 'hub_model_id', 'hub_token', 'hub_private_repo'],
    'leave it out: `lorafa push` sends a result to the Hub when the run is done',
  ],
  [['run_name'], 'a run has the name of its folder, `training.output_dir`'],
  [
    [
      'use_wandb',
      'wandb_name',
      'wandb_project',
      'use_tensorboard',
      'use_mlflow',
      'mlflow_tracking_uri',
    ],
    '`training.report_to` names programs, such as ["wandb"], for which the run is written down',
  ],
  [['greater_is_better'], 'leave it out: of `training.metric_for_best_model` less is better'],
  [['trust_remote_code'], 'leave it out: no code of a repository is executed'],
  [
    ['lora_plus_lr_ratio', 'loraplus_lr_ratio', 'neftune_noise_alpha', 'use_galore'],
    'leave it out: there is no such method here',
  ],
];

/** What is known of a key of another program's configuration. */
export type ForeignKey =
  /** What it is called here. */
  | { readonly meant: readonly [section: string, key: string] }
  /** What to do instead: the end of a sentence. */
  | { readonly answer: string };

const FOREIGN_KEYS: ReadonlyMap<string, ForeignKey> = new Map<string, ForeignKey>([
  ...Object.entries(RENAMED).flatMap(([key, names]) =>
    names.map((name) => [name, { meant: key.split('.') as [string, string] }] as const),
  ),
  ...ANSWERS.flatMap(([names, answer]) => names.map((name) => [name, { answer }] as const)),
]);

/** What is known of a key that people bring from another program; undefined for any other. */
export function foreignKey(name: string): ForeignKey | undefined {
  return FOREIGN_KEYS.get(name);
}

/** The names of all of them. */
export const FOREIGN_KEY_NAMES: readonly string[] = [...FOREIGN_KEYS.keys()];
