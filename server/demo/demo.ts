import { readConfig } from '../../engine/config/parse.ts';
import { openGenerator } from '../../engine/generate/generator.ts';
import { loadAdapter } from '../../engine/lora/load-adapter.ts';
import { openBaseModel } from '../../engine/models/base-model.ts';
import { deviceForModel } from '../../engine/models/device-for-model.ts';
import { chooseDevice } from '../../engine/runtime/devices.ts';
import { loadTokenizer } from '../../engine/tokenizer/tokenizer.ts';
import { train } from '../../engine/train/train.ts';
import { type ReportTarget, textReport } from '../cli/train-report.ts';
import { describeAccuracy, renderComparison } from './comparison.ts';
import { completeHeldOut, loadHeldOutPrompts } from './held-out.ts';

/** What the demo ends with; `npm run demo -- --json` prints it as one line. */
export interface DemoResult {
  /** Share of held-out prompts that the base model completes exactly right, 0 to 1. */
  readonly before_accuracy: number;
  /** The same with the adapter. */
  readonly after_accuracy: number;
  /** Time of the whole demo. */
  readonly seconds: number;
  /** Absolute path of the adapter, in PEFT's format. */
  readonly adapter_dir: string;
}

/** What the demo works with. */
export interface DemoOptions {
  /** The run configuration; its `output_dir` is replaced. */
  readonly configFile: string;
  /** A folder that does not exist or is empty. */
  readonly outputDir: string;
  /** In the place of the configuration's `engine.device`. */
  readonly device?: string;
  /** Where people see it happen. */
  readonly report: ReportTarget;
}

/**
 * Tests a base model on held-out prompts, fine-tunes it with LoRA-FA and tests it again.
 *
 * @throws LorafaError as `train` does
 */
export async function runDemo({
  configFile,
  outputDir,
  device,
  report,
}: DemoOptions): Promise<DemoResult> {
  const started = report.now();
  const line = (text: string): void => report.write(`${text}\n`);
  const config = await readConfig(configFile, [
    { path: ['training', 'output_dir'], value: outputDir, flag: 'output_dir' },
    ...(device === undefined
      ? []
      : [{ path: ['engine', 'device'], value: device, flag: 'device' }]),
  ]);
  const model = await openBaseModel(config.model.base_model_name_or_path);
  const tokenizer = loadTokenizer(model.tokenizer, model.config);
  const prompts = await loadHeldOutPrompts(config, tokenizer);
  const setting = config.engine.device;
  const generator = await openGenerator(model, tokenizer, {
    device: await deviceForModel(setting, await chooseDevice(setting), () => model),
    threads: config.engine.intra_op_num_threads,
  });
  const onEvent = textReport(report);
  const onProgress = (done: number): void =>
    onEvent({ type: 'progress', task: 'completing prompts', done, total: prompts.length });

  line(`The base model ${model.path} completes ${prompts.length} held-out prompts.`);
  const before = await completeHeldOut(generator, prompts, null, onProgress);
  line(describeAccuracy('before', before));

  line('\nLoRA-FA fine-tuning:');
  await train(config, { onEvent });
  const adapter = await loadAdapter(outputDir, model.config);

  line('\nThe same prompts with the adapter:');
  const after = await completeHeldOut(generator, prompts, adapter, onProgress);
  await generator.release();
  line(describeAccuracy('after', after));
  line(`\n${renderComparison(prompts, before, after)}`);
  return {
    before_accuracy: before.accuracy,
    after_accuracy: after.accuracy,
    seconds: report.now() - started,
    adapter_dir: outputDir,
  };
}
