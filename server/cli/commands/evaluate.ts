import { stat } from 'node:fs/promises';
import type { Command } from 'commander';
import { type ConfigOverride, parseOverride } from '../../../engine/config/overrides.ts';
import { parseConfig, readConfig } from '../../../engine/config/parse.ts';
import { resolveInput } from '../../../engine/config/resolve-paths.ts';
import type { ResolvedConfig } from '../../../engine/config/schema.ts';
import { LorafaError } from '../../../engine/errors.ts';
import type { Evaluation } from '../../../engine/train/evaluate.ts';
import { formatCount, formatDuration, formatPerplexity } from '../../format.ts';
import { localPath } from '../local-path.ts';
import { printJson, printText } from '../print.ts';
import { runCommand } from '../run-command.ts';
import { stderrProgress } from '../stderr-progress.ts';
import { collect } from './options.ts';

interface EvaluateFlags {
  /** A folder; false for `--no-adapter`. */
  readonly adapter?: string | false;
  readonly data?: string;
  readonly set?: readonly string[];
  readonly json?: true;
}

/** Adds `lorafa evaluate` to the program. */
export function addEvaluateCommand(program: Command): void {
  program
    .command('evaluate')
    .summary('measure the loss on held-out rows')
    .description(
      'Measure loss and perplexity on held-out rows: of the result of a run, given by its configuration, or of a base model.',
    )
    .argument('<config-or-model>', 'run configuration, or folder or .gguf file of a base model')
    .option('--adapter <folder>', "adapter on top of the model (default: the run's result)")
    .option('--no-adapter', 'the base model alone')
    .option('--data <file>', 'held-out rows (needed with a base model)')
    .option('--set <section.key=value>', 'replace a value of the configuration', collect)
    .option('--json', 'print one JSON object')
    .action((target: string, flags: EvaluateFlags) =>
      runCommand(flags.json === true, () => evaluateTarget(target, flags)),
    );
}

async function evaluateTarget(target: string, flags: EvaluateFlags): Promise<void> {
  const isRun = await isConfigFile(target);
  const config = isRun ? await runConfig(target, flags) : modelConfig(target, flags);
  const adapter = await adapterDir(config, isRun, flags);
  const { evaluate } = await import('../../../engine/train/evaluate.ts');
  const evaluation = await evaluate(config, {
    adapterDir: adapter,
    onProgress: stderrProgress(),
  });
  if (flags.json === true) printJson(process.stdout, evaluation);
  else printText(process.stdout, describe(evaluation));
}

/** Models are folders or .gguf files; every other file is a configuration. */
async function isConfigFile(target: string): Promise<boolean> {
  if (/\.gguf$/i.test(target)) return false;
  if (/\.json$/i.test(target)) return true;
  return stat(target).then(
    (status) => status.isFile(),
    () => false,
  );
}

async function runConfig(file: string, flags: EvaluateFlags): Promise<ResolvedConfig> {
  const config = await readConfig(file, overridesOf(flags));
  const { method, output_dir: result } = config.training;
  const wantsResult = method === 'full' && flags.adapter === undefined;
  return wantsResult
    ? { ...config, model: { ...config.model, base_model_name_or_path: result } }
    : config;
}

/** A configuration for a model that no run belongs to; what only a run needs is never looked at. */
function modelConfig(model: string, flags: EvaluateFlags): ResolvedConfig {
  const { data } = flags;
  if (data === undefined) {
    throw new LorafaError(
      'usage.invalid',
      `lorafa evaluate ${model} needs --data with the held-out rows.`,
    );
  }
  const given: readonly ConfigOverride[] = [
    { path: ['model', 'base_model_name_or_path'], value: model, flag: model },
    { path: ['data', 'dataset_name_or_path'], value: data, flag: '--data' },
    { path: ['training', 'output_dir'], value: '.', flag: model },
  ];
  return parseConfig('{}', 'command line', [...given, ...overridesOf(flags)]);
}

function overridesOf({ data, set = [] }: EvaluateFlags): readonly ConfigOverride[] {
  const held: readonly ConfigOverride[] =
    data === undefined
      ? []
      : [
          { path: ['data', 'eval_split'], value: null, flag: '--data' },
          {
            path: ['data', 'eval_dataset_name_or_path'],
            value: resolveInput(data, process.cwd()),
            flag: '--data',
          },
        ];
  return [...held, ...set.map(parseOverride)];
}

async function adapterDir(
  config: ResolvedConfig,
  isRun: boolean,
  flags: EvaluateFlags,
): Promise<string | null> {
  if (typeof flags.adapter === 'string') return localPath(flags.adapter, 'adapter');
  const hasAdapter = isRun && flags.adapter !== false && config.training.method !== 'full';
  return hasAdapter ? config.training.output_dir : null;
}

function describe(evaluation: Evaluation): string {
  const { eval_loss, eval_perplexity, eval_runtime, rows, supervisedTokens } = evaluation;
  return `loss ${eval_loss.toFixed(4)}  perplexity ${formatPerplexity(eval_perplexity)}  (${formatCount(rows)} rows, ${formatCount(supervisedTokens)} supervised tokens, ${formatDuration(eval_runtime)})`;
}
