import { cp, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { withConfigFile } from '../../../engine/accelerate/config-file.ts';
import { rankCommands } from '../../../engine/accelerate/rank-commands.ts';
import { configJsonSchema, type ResolvedConfig } from '../../../engine/config/schema.ts';
import { planRun } from '../../../engine/plan/run-plan.ts';
import { ort } from '../../../engine/runtime/onnx-runtime.ts';
import { TrainControl } from '../../../engine/train/control.ts';
import type { TrainEvent } from '../../../engine/train/events.ts';
import { train } from '../../../engine/train/train.ts';
import { type ConfigChanges, comparable, run } from '../train/tiny-run.ts';
import { useTinyRuns } from '../train/use-tiny-runs.ts';

/*
 * No key is accepted and ignored: for every key of the schema there are two configurations that
 * differ in it alone, and what the two runs do differs. A new key without a case fails here.
 */

const tiny = useTinyRuns();

type Observe = (config: ResolvedConfig) => Promise<unknown>;

interface KeyCase {
  /** What both configurations say. */
  readonly common?: ConfigChanges;
  /** The key's value in the one; by default it is left to what the tiny runs say. */
  readonly before?: unknown;
  /** Its value in the other. */
  readonly after: unknown;
  /** What is compared; by default the events of three steps. */
  readonly observe?: Observe;
}

/** The first three steps of a run, without what is written at its end; or why it was refused. */
const firstSteps: Observe = async (config) => {
  const control = new TrainControl();
  const events: TrainEvent[] = [];
  const onEvent = (event: TrainEvent): void => {
    events.push(event);
    if (event.type === 'step' && event.step >= 3) control.stop('cancel');
  };
  await train(config, { control, onEvent });
  return comparable({ events });
};

/** A whole run: what it tells, and the checkpoints that it leaves. */
const wholeRun: Observe = async (config) => {
  const finished = await run(config);
  const names = await readdir(config.training.output_dir);
  return [comparable(finished), names.filter((name) => name.startsWith('checkpoint-')).toSorted()];
};

/** The batches of an epoch over rows of 3 to 40 tokens. */
const plan: Observe = async (config) => {
  const examples = [3, 40, 17, 9, 22, 5, 31, 12].map((length) => ({
    inputIds: new Int32Array(length),
    supervised: new Uint8Array(length).fill(1),
    truncated: false,
    file: 'rows.jsonl',
    line: 1,
  }));
  return planRun(config, { train: examples }).window(0, 0);
};

/** The threads that ONNX Runtime is told to use. */
const threads: Observe = async (config) => {
  const set = vi.spyOn(ort, 'SetIntraOpNumThreads');
  try {
    await firstSteps(config);
    return set.mock.calls.map(([, count]) => count);
  } finally {
    set.mockRestore();
  }
};

/** The processes that are started for a run on Accelerate. */
const processes: Observe = async (config) => rankCommands(config, { handover: 'handover' });

/** The same, with what a file of Accelerate says of them. */
const processesOfFile: Observe = async (config) => processes(await withConfigFile(config));

/** Which entries the folder of all runs has more than before. */
const newFiles: Observe = async (config) => {
  const before = await readdir(tiny().folder);
  await firstSteps(config);
  return (await readdir(tiny().folder)).filter((name) => !before.includes(name));
};

/** Where a run is reported: in its folder, in the one that is asked for, or nowhere. */
const reportedIn: Observe = async (config) => {
  await firstSteps(config);
  const { output_dir, logging_dir } = config.training;
  return Promise.all(
    [path.join(output_dir, 'runs'), logging_dir ?? output_dir].map(async (folder) => {
      const names = await readdir(folder, { recursive: true }).catch(() => []);
      return names.filter((name) => name.includes('tfevents')).length;
    }),
  );
};

const WIDE = {
  text: 'A plain text.',
  note: 'Another one, longer.',
  question: 'Up?',
  query: 'Is this up or down?',
  answer: 'Down',
  response: 'It is down.',
  messages: [
    { role: 'user', content: 'Hi' },
    { role: 'assistant', content: 'Hello' },
  ],
  chat: [
    { role: 'user', content: 'Hi' },
    { role: 'assistant', content: 'Hello there' },
  ],
};

const wide = (): Promise<string> => tiny().file('wide.jsonl', `${JSON.stringify(WIDE)}\n`);

async function onWideRows(data: ConfigChanges['data'] = {}): Promise<ConfigChanges> {
  return { data: { dataset_name_or_path: await wide(), ...data } };
}

/** Rows of sixteen lengths, for what reorders them. */
async function onManyRows(): Promise<ConfigChanges> {
  const rows = Array.from({ length: 16 }, (_, i) => ({ text: 'a'.repeat(2 + ((i * 7) % 16)) }));
  const content = rows.map((row) => `${JSON.stringify(row)}\n`).join('');
  return { data: { dataset_name_or_path: await tiny().file('many.jsonl', content) } };
}

async function otherModel(): Promise<string> {
  const folder = tiny().fresh('model');
  await cp(tiny().model, folder, { recursive: true });
  const file = path.join(folder, 'model.safetensors');
  const bytes = await readFile(file);
  bytes.writeFloatLE(0.5, bytes.length - 4);
  await writeFile(file, bytes);
  return folder;
}

async function someAdapter(): Promise<string> {
  const config = tiny().config();
  await run(config);
  return config.training.output_dir;
}

const heldOut: ConfigChanges = { data: { eval_split: 3 } };
/** A rate so high that evaluations become better and worse. */
const unsteady: ConfigChanges = {
  ...heldOut,
  training: { max_steps: 6, eval_steps: 1, learning_rate: 3 },
};
const onAccelerate: KeyCase = {
  common: {
    engine: { backend: 'accelerate' },
    training: { gradient_accumulation_steps: 2 },
  },
  after: undefined,
};
const onMachines: KeyCase = {
  common: {
    training: { gradient_accumulation_steps: 4 },
    engine: { backend: 'accelerate' },
    accelerate: { num_processes: 4, num_machines: 2, main_process_ip: '127.0.0.1' },
  },
  after: undefined,
  observe: processes,
};
const minLr: ConfigChanges = { training: { lr_scheduler_type: 'cosine_with_min_lr' } };

const CASES: Readonly<Record<string, () => KeyCase | Promise<KeyCase>>> = {
  'model.base_model_name_or_path': async () => ({ after: await otherModel() }),
  'model.quantization': () => ({ after: 'nf4' }),
  'model.use_double_quant': () => ({
    common: { model: { quantization: 'nf4' } },
    before: false,
    after: true,
  }),

  'data.dataset_name_or_path': () => ({ after: `${tiny().data}[:3]` }),
  'data.eval_dataset_name_or_path': () => ({ after: tiny().data }),
  'data.eval_split': () => ({ after: 2 }),
  'data.format': async () => ({
    common: await onWideRows(),
    before: 'text',
    after: 'prompt_completion',
  }),
  'data.text_column': async () => ({ common: await onWideRows(), before: 'text', after: 'note' }),
  'data.prompt_column': async () => ({
    common: await onWideRows({ completion_column: 'answer' }),
    before: 'question',
    after: 'query',
  }),
  'data.completion_column': async () => ({
    common: await onWideRows({ prompt_column: 'question' }),
    before: 'answer',
    after: 'response',
  }),
  'data.messages_column': async () => ({
    common: await onWideRows(),
    before: 'messages',
    after: 'chat',
  }),
  'data.prompt_template': async () => ({
    common: await onWideRows({ completion_template: '{answer}' }),
    before: 'Q: {question} ',
    after: 'Question: {question} ',
  }),
  'data.completion_template': async () => ({
    common: await onWideRows({ prompt_template: '{question}' }),
    before: '{answer}',
    after: '{answer}!',
  }),
  'data.apply_chat_template': () => ({ after: false }),
  'data.completion_only_loss': () => ({ after: false }),
  'data.train_on': async () => ({
    common: await onWideRows({ messages_column: 'messages' }),
    after: 'all',
  }),
  'data.chat_template': async () => ({
    common: await onWideRows({ messages_column: 'messages' }),
    after: await tiny().file(
      'own.jinja',
      '{% for m in messages %}{{ m.role }}: {% if m.role == "assistant" %}{% generation %}{{ m.content }}{% endgeneration %}{% else %}{{ m.content }}{% endif %}{% endfor %}',
    ),
  }),
  'data.max_length': () => ({ after: 32 }),
  'data.max_bad_rows': async () => ({
    common: {
      data: { dataset_name_or_path: await tiny().file('bad.jsonl', '{"text":"ok then"}\n{\n') },
    },
    after: 1,
  }),
  'data.mix': () => ({ after: [{ dataset_name_or_path: `${tiny().data}[:2]`, weight: 0.5 }] }),
  'data.streaming': async () => {
    const { data } = await onManyRows();
    // One window that holds all rows would be learned as they are from memory.
    return { common: { data: { ...data, buffer_size: 4 } }, after: true };
  },
  'data.buffer_size': async () => {
    const { data } = await onManyRows();
    return { common: { data: { ...data, streaming: true } }, before: 4, after: 8 };
  },
  'data.packing': async () => ({ common: await onManyRows(), after: true }),
  'data.group_by_length': async () => ({ common: await onManyRows(), after: false }),
  'data.pad_to_multiple_of': () => ({ after: 8, observe: plan }),

  'lora.r': () => ({ after: 3 }),
  'lora.lora_alpha': () => ({ after: 8 }),
  'lora.lora_dropout': () => ({ after: 0.5 }),
  'lora.target_modules': () => ({ after: 'all-linear' }),
  'lora.exclude_modules': () => ({ after: ['down_proj'] }),
  'lora.layers_to_transform': () => ({ after: [1] }),
  'lora.rank_pattern': () => ({ after: { q_proj: 3 } }),
  'lora.alpha_pattern': () => ({ after: { q_proj: 9 } }),
  'lora.use_rslora': () => ({ after: true }),
  'lora.bias': () => ({ after: 'all' }),
  'lora.init_adapter': async () => ({
    common: { lora: { r: undefined, lora_alpha: undefined, target_modules: undefined } },
    after: await someAdapter(),
  }),

  'training.method': () => ({ after: 'lora' }),
  'training.report_to': () => ({ after: ['tensorboard'], observe: reportedIn }),
  'training.logging_dir': () => ({
    common: { training: { report_to: ['tensorboard'] } },
    after: tiny().fresh('reports'),
    observe: reportedIn,
  }),
  'training.output_dir': () => ({ after: tiny().fresh('elsewhere'), observe: newFiles }),
  'training.num_train_epochs': () => ({
    common: { training: { max_steps: undefined } },
    before: 1,
    after: 2,
  }),
  'training.max_steps': () => ({ after: 5 }),
  'training.per_device_train_batch_size': () => ({ after: 2 }),
  // Sums in another order differ in their last bits; the memory that it takes is what matters.
  'training.per_device_eval_batch_size': () => ({
    common: { ...heldOut, training: { eval_steps: 1 } },
    after: 3,
    observe: wholeRun,
  }),
  'training.gradient_accumulation_steps': () => ({ after: 2 }),
  'training.gradient_checkpointing': () => ({ before: 'none', after: 'layer' }),
  'training.learning_rate': () => ({ after: 2e-2 }),
  'training.weight_decay': () => ({ after: 0.5 }),
  'training.adam_beta1': () => ({ after: 0.5 }),
  'training.adam_beta2': () => ({ after: 0.5 }),
  'training.adam_epsilon': () => ({ after: 1e-2 }),
  'training.max_grad_norm': () => ({ after: 1e-6 }),
  'training.lr_scheduler_type': () => ({ after: 'linear' }),
  'training.lr_scheduler_kwargs': () => ({
    common: minLr,
    before: { min_lr_rate: 0.1 },
    after: { min_lr_rate: 0.5 },
  }),
  'training.warmup_steps': () => ({
    common: { training: { lr_scheduler_type: 'linear' } },
    after: 2,
  }),
  'training.warmup_ratio': () => ({
    common: { training: { lr_scheduler_type: 'linear' } },
    after: 0.5,
  }),
  'training.logging_steps': () => ({ after: 2 }),
  'training.eval_steps': () => ({ common: heldOut, before: 1, after: 2 }),
  'training.eval_on_start': () => ({ common: heldOut, after: false }),
  'training.save_steps': () => ({ before: 1, after: 2, observe: wholeRun }),
  'training.sample_prompts': () => ({ after: ['a'], observe: wholeRun }),
  'training.sample_steps': () => ({
    common: { training: { sample_prompts: ['a'] } },
    before: 1,
    after: 2,
  }),
  'training.save_total_limit': () => ({
    common: { training: { save_steps: 1 } },
    after: 1,
    observe: wholeRun,
  }),
  'training.load_best_model_at_end': () => ({ common: unsteady, after: true, observe: wholeRun }),
  'training.metric_for_best_model': () => ({
    common: {
      ...unsteady,
      training: { ...unsteady.training, early_stopping_patience: 1, early_stopping_threshold: 0.5 },
    },
    after: 'eval_perplexity',
    observe: wholeRun,
  }),
  'training.early_stopping_patience': () => ({ common: unsteady, after: 1, observe: wholeRun }),
  'training.early_stopping_threshold': () => ({
    common: { ...unsteady, training: { ...unsteady.training, early_stopping_patience: 2 } },
    after: 1000,
    observe: wholeRun,
  }),
  'training.seed': () => ({ after: 43 }),
  'training.resume_from_checkpoint': () => ({ after: 'latest' }),

  'accelerate.python': () => ({ ...onAccelerate, after: 'python3.11', observe: processes }),
  'accelerate.config_file': () => ({ ...onAccelerate, after: 'a.yaml', observe: processesOfFile }),
  'accelerate.num_processes': () => ({ ...onAccelerate, after: 2, observe: processes }),
  'accelerate.num_machines': () => ({ ...onMachines, before: 2, after: 4 }),
  'accelerate.machine_rank': () => ({ ...onMachines, after: 1 }),
  'accelerate.main_process_ip': () => ({ ...onMachines, after: '192.0.2.1' }),
  'accelerate.main_process_port': () => ({ ...onMachines, after: 29_501 }),
  'accelerate.ddp_timeout': () => ({ ...onAccelerate, after: 60, observe: processes }),
  'accelerate.distributed_type': () => ({ ...onMachines, after: 'fsdp' }),
  'accelerate.mixed_precision': () => ({ ...onAccelerate, after: 'bf16', observe: processes }),

  // Where Python lacks the packages, the other run is refused.
  'engine.backend': () => ({ after: 'accelerate' }),
  'engine.device': () => ({ after: 'webgpu' }),
  'engine.compute': () => ({ after: 'int8' }),
  // Of the runs of a device that has no tensor cores one is refused.
  'engine.tf32': () => ({ common: { engine: { device: 'cpu' } }, after: true }),
  'engine.intra_op_num_threads': () => ({ after: 2, observe: threads }),
  'engine.max_memory_gib': () => ({ before: 1000, after: 1e-6 }),
};

/** What is observed, or the words of the refusal. */
async function observed(changes: ConfigChanges, observe: Observe): Promise<unknown> {
  try {
    return await observe(tiny().config(changes));
  } catch (error) {
    return String(error);
  }
}

const known = new Map<string, Promise<unknown>>();

/** The same, once for all keys that start from the same configuration. */
function outcome(changes: ConfigChanges, observe: Observe): Promise<unknown> {
  const key = JSON.stringify([observe.name, changes]);
  const result = known.get(key) ?? observed(changes, observe);
  known.set(key, result);
  return result;
}

function withKey(common: ConfigChanges, [section, key]: string[], value: unknown): ConfigChanges {
  const training = { max_steps: 4, ...common.training };
  const sections: Record<string, object | undefined> = { ...common, training };
  if (value === undefined) return sections;
  return { ...sections, [section!]: { ...sections[section!], [key!]: value } };
}

const schemaKeys = Object.entries(configJsonSchema().properties!).flatMap(([section, node]) =>
  Object.keys(node.properties!).map((key) => `${section}.${key}`),
);

describe('every key of the configuration changes what a run does', () => {
  test('and has a case here', () => {
    expect(Object.keys(CASES).toSorted()).toEqual(schemaKeys.toSorted());
  });

  test.each(schemaKeys)('%s', async (name) => {
    const { common = {}, before, after, observe = firstSteps } = await CASES[name]!();
    const at = name.split('.');
    const one = await outcome(withKey(common, at, before), observe);
    const other = await outcome(withKey(common, at, after), observe);
    expect(other).not.toEqual(one);
    // Two refusals would differ in words alone.
    expect([one, other].every((each) => typeof each === 'string')).toBe(false);
  });

  test('and the number of threads holds for all that a run computes', async () => {
    const changes = withKey({}, ['engine', 'intra_op_num_threads'], 3);
    // One thread is what trying a device takes.
    expect(new Set((await observed(changes, threads)) as number[])).toEqual(new Set([1, 3]));
  });

  test('while two runs of one configuration do the same', async () => {
    for (const observe of [firstSteps, wholeRun, plan, threads]) {
      const changes = withKey(heldOut, [], undefined);
      expect(await observed(changes, observe)).toEqual(await observed(changes, observe));
    }
  });
});
