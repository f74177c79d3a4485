import path from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { linearModules } from '../../../engine/architectures/linear-modules.ts';
import type { ConfigPath } from '../../../engine/config/config-error.ts';
import { checkConfig } from '../../../engine/config/parse.ts';
import type { ResolvedConfig } from '../../../engine/config/schema.ts';
import { cachedInput } from '../../../engine/inputs/hub-inputs.ts';
import { examineTargets } from '../../../engine/lora/targets.ts';
import { deviceForModel } from '../../../engine/models/device-for-model.ts';
import { evaluationBatchSize } from '../../../engine/plan/evaluation-batches.ts';
import { type BatchesQuestion, memoryLimit } from '../../../engine/plan/memory.ts';
import { paddingMultiple } from '../../../engine/plan/padding-multiple.ts';
import { countParameters, type ParameterCount } from '../../../engine/plan/parameter-count.ts';
import { planTrainee } from '../../../engine/plan/planned-trainee.ts';
import { positionProblem } from '../../../engine/plan/position-limit.ts';
import { answeringModel, quantizationOf } from '../../../engine/plan/run-model.ts';
import { countStepsPerEpoch, runLength } from '../../../engine/plan/run-plan.ts';
import { readChatTemplate } from '../../../engine/plan/run-tokenizer.ts';
import { longestPrompt } from '../../../engine/plan/sample-prompts.ts';
import { transformersProblem } from '../../../engine/plan/transformers-limit.ts';
import { CPU, type Device, parseDevice } from '../../../engine/runtime/device.ts';
import { type DeviceFacts, FACTS_OF_DRIVER } from '../../../engine/runtime/device-facts.ts';
import { stepSpec, type Trained } from '../../../engine/step/step-spec.ts';
import { TimeLimitError } from '../../../engine/time-limit.ts';
import { describeQuantized } from '../../../engine/weights/quantization.ts';
import type { DataSample } from '../../protocol/data.ts';
import { type DataFacts, inspectData, type SplitFacts } from './data-findings.ts';
import { dataSample } from './data-sample.ts';
import { FileCache } from './file-cache.ts';
import {
  ADAPTER_KEY,
  DATA_KEY,
  type Finding,
  findingOf,
  MODEL_KEY,
  TEMPLATE_KEY,
} from './finding.ts';
import { KnownData } from './known-data.ts';
import { type KnownModel, KnownModels } from './known-models.ts';
import { inspectMemory, type MemoryFacts, memoryFindings } from './memory-findings.ts';
import { namedInput, type WrittenConfig } from './named-input.ts';
import { outputFindings } from './output-findings.ts';
import { type RunLength, scheduleFindings } from './schedule-findings.ts';

/** What the files that a configuration names tell about its run. */
export interface Inspection {
  readonly findings: readonly Finding[];
  /** Absent where it could not be found out. */
  readonly parameters?: ParameterCount;
  readonly length?: RunLength;
  readonly memory?: MemoryFacts;
}

/** Asked between the steps of an inspection: nobody waits for its result any more. */
export type IsCancelled = () => boolean;

/** What an inspector needs to know about the machine. */
export interface InspectorOptions {
  /** Unless given, `auto` is the CPU. */
  readonly facts?: InspectorFacts;
}

/** The same as of runs, but that nobody waits until a device was tried out. */
export interface InspectorFacts extends Omit<DeviceFacts, 'auto'> {
  /** The device that `engine.device: "auto"` takes; undefined while nobody knows it yet. */
  readonly auto: (...mode: Parameters<DeviceFacts['auto']>) => Promise<Device | undefined>;
}

/**
 * Looks at the model, the adapter and the data that a configuration names: headers, the first rows,
 * numbers of lines. It remembers what it saw until the files change. Nothing is written, started
 * or unpacked; some of it keeps a processor busy for a second, so that it has a process of its own.
 */
export class ConfigInspector {
  readonly #models = new KnownModels();
  readonly #data = new KnownData();
  readonly #memory = new FileCache<Pick<Inspection, 'findings' | 'memory'>>(8);
  readonly #facts: InspectorFacts;

  constructor({ facts = { ...FACTS_OF_DRIVER, auto: async () => CPU } }: InspectorOptions = {}) {
    this.#facts = facts;
  }

  /**
   * Inspects a configuration; of one with mistakes of its own, what can be used in spite of them.
   *
   * @param file where relative paths start
   * @param onPlace told the key whose files are looked at next
   */
  async inspect(
    file: string,
    text: string,
    isCancelled: IsCancelled,
    onPlace: (path: ConfigPath) => void = () => undefined,
  ): Promise<Inspection> {
    const { usable: config, given } = checkConfig(text, file);
    if (config === undefined) return { findings: [] };
    const written = { folder: path.dirname(file), given };
    const findings: Finding[] = [];
    onPlace(MODEL_KEY);
    const model = await this.#model(config, written, findings);
    if (await isOver(isCancelled)) return { findings };
    const trainee = model && (await this.#trainee(config, written, model, findings));
    onPlace(DATA_KEY);
    const reading = model && (await withTemplate(config, model, findings));
    const data = await inspectData(config, this.#data, reading, written);
    findings.push(...data.findings, ...(await outputFindings(config, given)));
    const length = runLengthOf(config, data.facts);
    if (length !== undefined) {
      const isGiven = (key: string) => given('training', key) !== undefined;
      findings.push(...scheduleFindings(config, length, isGiven));
    }
    const parameters =
      trainee && countParameters(model.model.config, trainee.modules, trainee.trainable);
    if (await isOver(isCancelled)) return { findings };
    onPlace(MODEL_KEY);
    const memory =
      trainee && (await this.#inspectMemory(config, reading ?? model, trainee, data.facts));
    return {
      findings: [...findings, ...(memory?.findings ?? [])],
      ...(parameters !== undefined && { parameters }),
      ...(length !== undefined && { length }),
      ...(memory?.memory !== undefined && { memory: memory.memory }),
    };
  }

  /** The columns of data files, by the first row of each; files that cannot be read have none. */
  async columns(names: readonly string[]): Promise<readonly string[]> {
    const columns = await Promise.all(names.map((name) => this.#columnsOf(name)));
    return [...new Set(columns.flat())];
  }

  /**
   * The beginning of a data file, or of the first one that a folder or a pattern names, and what could
   * be learned from it.
   *
   * @throws LorafaError as `readRows` and `dataSample`
   */
  async sample(name: string): Promise<DataSample> {
    const files = (await cachedInput(name, 'training')) ?? [name];
    const { count, ...beginning } = await this.#data.beginning(files[0]!);
    // The parts of a set are about as long as each other, and too much to be counted.
    const all = { rows: count.rows * files.length, isExact: count.isExact && files.length === 1 };
    return dataSample(name, { ...beginning, count: all });
  }

  /** Full names of the layers that an adapter can have; none where the model cannot be opened. */
  async moduleNames(location: string): Promise<readonly string[]> {
    try {
      const [place] = (await cachedInput(location, 'model')) ?? [];
      if (place === undefined) return [];
      const { model } = await this.#models.get(place);
      return linearModules(model.config).map(({ name }) => name);
    } catch {
      return [];
    }
  }

  async #columnsOf(name: string): Promise<readonly string[]> {
    try {
      const [file] = (await cachedInput(name, 'training')) ?? [];
      const known = file === undefined ? undefined : await this.#data.beginning(file);
      return Object.keys(known?.rows[0]?.value ?? {});
    } catch {
      return [];
    }
  }

  async #model(
    config: ResolvedConfig,
    written: WrittenConfig,
    findings: Finding[],
  ): Promise<KnownModel | undefined> {
    const { base_model_name_or_path: name } = config.model;
    const input = await namedInput(name, 'model', MODEL_KEY, written);
    if (input.paths === undefined) {
      findings.push(input.finding);
      return undefined;
    }
    try {
      const known = await this.#models.get(input.paths[0]);
      for (const problem of [
        positionProblem(config.data, known.model.config, known.model.name),
        transformersProblem(config, known.model),
      ]) {
        if (problem !== undefined) findings.push({ ...problem, severity: 'error' });
      }
      return known;
    } catch (error) {
      findings.push(findingOf(error, MODEL_KEY));
      return undefined;
    }
  }

  async #trainee(
    config: ResolvedConfig,
    written: WrittenConfig,
    { model }: KnownModel,
    findings: Finding[],
  ): Promise<Trained | undefined> {
    const { training } = config;
    const lora = { ...config.lora };
    if (training.method !== 'full' && lora.init_adapter !== undefined) {
      const input = await namedInput(lora.init_adapter, 'adapter', ADAPTER_KEY, written);
      if (input.paths === undefined) {
        findings.push(input.finding);
        return undefined;
      }
      lora.init_adapter = input.paths[0];
    }
    if (training.method !== 'full' && lora.init_adapter === undefined) {
      const { problems } = examineTargets(lora, model.config, model.name);
      findings.push(...problems.map((problem) => ({ ...problem, severity: 'error' as const })));
      if (problems.length > 0) return undefined;
    }
    try {
      return await planTrainee({ lora, training }, model);
    } catch (error) {
      findings.push(findingOf(error, ADAPTER_KEY));
      return undefined;
    }
  }

  /** Remembered by everything that decides about it, since it takes the longest. */
  async #inspectMemory(
    config: ResolvedConfig,
    known: KnownModel,
    trainee: Trained,
    facts: DataFacts,
  ): Promise<Pick<Inspection, 'findings' | 'memory'>> {
    // What PyTorch takes is not counted here.
    if (config.engine.backend !== 'onnxruntime') return { findings: [] };
    const { lora, training, engine } = config;
    const found = await (engine.device === 'auto'
      ? this.#facts.auto(engine.compute)
      : parseDevice(engine.device));
    if (found === undefined) return { findings: [] };
    const quantization = quantizationOf(config, found);
    const stored = known.model;
    const model = quantization === undefined ? stored : describeQuantized(stored, quantization);
    const device = await deviceForModel(engine.device, found, () => model);
    const batches = batchesOf(config, device, training.per_device_train_batch_size, facts);
    if (batches === undefined) return { findings: [] };
    const evaluation =
      facts.evaluation && batchesOf(config, device, evaluationBatchSize(config), facts.evaluation);
    let promptTokens: number | undefined;
    try {
      promptTokens = longestPrompt(config, known.tokenizer);
    } catch (error) {
      const isOverTime = error instanceof TimeLimitError;
      const place = isOverTime ? MODEL_KEY : ['training', 'sample_prompts'];
      return { findings: [findingOf(error, place)] };
    }
    const limit = memoryLimit(engine, await this.#facts.availableMemory(device));
    const answering = answeringModel(config, model) ?? stored;
    const question = {
      ...stepSpec(config, model, trainee),
      device,
      threads: engine.intra_op_num_threads,
      ...batches,
      evaluation,
      answers: promptTokens === undefined ? undefined : { model: answering, promptTokens },
    };
    // What is free changes all the time, and a change of a few percent says nothing new.
    const roughLimit = limit && Math.round(Math.log(limit) / Math.log(1.05));
    const key = JSON.stringify([
      [model.path, quantization, roughLimit ?? null, lora, device],
      [batches, evaluation ?? null, promptTokens ?? null],
      [training.method, training.gradient_checkpointing, question.packing],
      [training.per_device_train_batch_size, training.gradient_accumulation_steps],
      [training.per_device_eval_batch_size ?? null],
    ]);
    return this.#memory.get(key, [model.path], async () => {
      const memory = inspectMemory(config, question, limit);
      if (memory === undefined) return { findings: [] };
      return { findings: await memoryFindings(config, question, memory), memory };
    });
  }
}

/** A model with the chat template of the configuration; undefined where that cannot be used. */
async function withTemplate(
  config: ResolvedConfig,
  { model, tokenizer }: KnownModel,
  findings: Finding[],
): Promise<KnownModel | undefined> {
  try {
    const template = await readChatTemplate(config);
    return template === undefined
      ? { model, tokenizer }
      : { model, tokenizer: tokenizer.withChatTemplate(template) };
  } catch (error) {
    findings.push(findingOf(error, TEMPLATE_KEY));
    return undefined;
  }
}

/** Lets messages in, among them that this inspection is cancelled. */
async function isOver(isCancelled: IsCancelled): Promise<boolean> {
  await setImmediate();
  return isCancelled();
}

function runLengthOf({ data, training }: ResolvedConfig, facts: DataFacts): RunLength | undefined {
  const rows = data.packing ? packedRows(data, facts) : facts.rows;
  if (rows === undefined) return undefined;
  const stepsPerEpoch = countStepsPerEpoch(rows, training);
  return {
    stepsPerEpoch,
    steps: runLength(training, stepsPerEpoch),
    isExact: facts.isExact && !data.packing,
  };
}

/** Rows of batches if packing leaves no space, which it hardly does. */
function packedRows(
  { max_length: capacity }: ResolvedConfig['data'],
  { tokens }: SplitFacts,
): number | undefined {
  return tokens === undefined ? undefined : Math.ceil(tokens / capacity);
}

/** The batches of a split as far as its rows were seen: the largest has as many as there are, padded. */
function batchesOf(
  { data }: ResolvedConfig,
  device: Device,
  batchSize: number,
  facts: SplitFacts,
): Required<BatchesQuestion> | undefined {
  const { longest, tokens = 0 } = facts;
  const rows = (data.packing ? packedRows(data, facts) : facts.rows) ?? Infinity;
  if (longest === undefined || longest === 0 || rows === 0) return undefined;
  const filled = data.packing ? Math.max(longest, Math.min(tokens, data.max_length)) : longest;
  const multiple = paddingMultiple(data, device);
  const padded = Math.ceil(filled / multiple) * multiple;
  const length = Math.max(filled, Math.min(padded, data.max_length));
  const batch = Math.min(batchSize, rows);
  return {
    shape: { rows: batch, length, lossTokens: batch * length },
    lengths: Math.ceil(length / multiple),
  };
}
