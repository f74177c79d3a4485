import type { Command } from 'commander';
import { withConfigFile } from '../../../engine/accelerate/config-file.ts';
import { type ConfigOverride, parseOverride } from '../../../engine/config/overrides.ts';
import { readConfig } from '../../../engine/config/parse.ts';
import type { ResolvedConfig } from '../../../engine/config/schema.ts';
import { LorafaError } from '../../../engine/errors.ts';
import { TrainControl } from '../../../engine/train/control.ts';
import type { TrainEvent } from '../../../engine/train/events.ts';
import { OccupiedError } from '../../../engine/train/occupied-folder.ts';
import { shellWord } from '../../shell-word.ts';
import { INTERRUPTED } from '../exit-codes.ts';
import { withInterrupt } from '../interrupt.ts';
import { whenOutputIsLost } from '../lost-output.ts';
import { configFromPeftFlags, PEFT_FLAGS } from '../peft-flags.ts';
import { printText } from '../print.ts';
import { runCommand } from '../run-command.ts';
import { streamTarget } from '../stream-target.ts';
import { jsonReport, textReport } from '../train-report.ts';
import { collect } from './options.ts';

type PeftTexts = Readonly<Record<string, unknown>>;

interface TrainFlags extends PeftTexts {
  readonly set?: readonly string[];
  readonly json?: true;
  readonly lorafa?: true;
  readonly quantize?: true;
}

/** Adds `lorafa train` to the program. */
export function addTrainCommand(program: Command): void {
  const command = program
    .command('train')
    .summary('fine-tune a model')
    .description(
      "Fine-tune a model as a configuration file says, or with the flags of PEFT's LoRA-FA example.",
    )
    .argument('[config]', 'run configuration (*.lorafa.json)')
    .option('--set <section.key=value>', 'replace a value of the configuration', collect)
    .option('--json', 'print one JSON event per line');
  command.optionsGroup("Flags of PEFT's example (instead of a configuration file):");
  for (const { name, help, fallback } of PEFT_FLAGS) {
    command.option(`--${name} <value>`, `${help} (default: ${fallback})`);
  }
  command
    .option('--lorafa', 'train with LoRA-FA (without it: plain LoRA)')
    .option('--quantize', '4-bit (NF4) base weights')
    .action((file: string | undefined, flags: TrainFlags) =>
      runCommand(flags.json === true, () => train(file, flags)),
    );
}

const ABANDONED =
  'Stopped at once; what was done since the last checkpoint is dropped. Go on with --set training.resume_from_checkpoint=latest.';

async function train(file: string | undefined, flags: TrainFlags): Promise<void> {
  const config = await withConfigFile(await loadConfig(file, flags));
  const target = streamTarget(process.stdout);
  const report = flags.json === true ? jsonReport(target.write) : textReport(target);
  if (config.accelerate.machine_rank > 0) {
    const { followRun } = await import('../../../engine/train/follow-run.ts');
    await withInterrupt(
      () => process.exit(INTERRUPTED),
      () => followRun(config, { onProgress: report }),
    );
    return;
  }
  let isUnderWay = false;
  const onEvent = (event: TrainEvent): void => {
    isUnderWay ||= event.type === 'started';
    report(event);
  };
  // Loaded only now: a mistake in the configuration is told without waiting for ONNX Runtime.
  const { train: run } = await import('../../../engine/train/train.ts');
  const control = new TrainControl();
  const stop = (): void => {
    // Until then nothing of this session is on disk that could be saved.
    if (!isUnderWay) process.exit(INTERRUPTED);
    printText(process.stderr, '\nStopping after this step; press Ctrl+C again to stop at once.');
    control.stop();
  };
  // As when the terminal is closed in which `lorafa train | tee` runs.
  whenOutputIsLost(() => {
    if (control.stopRequested === undefined) stop();
  });
  try {
    const { status } = await withInterrupt(
      stop,
      () => run(config, { onEvent, control }),
      () => {
        control.abandon();
        printText(process.stderr, ABANDONED);
      },
    );
    if (status !== 'completed') process.exitCode = INTERRUPTED;
  } catch (error) {
    // The reason gets a line of its own below the progress bar.
    if (flags.json !== true && target.columns !== undefined) target.write('\n');
    throw error instanceof OccupiedError ? inWordsOfFlags(error, file) : error;
  }
}

/** Says what works here: the same command with another flag. */
function inWordsOfFlags(error: OccupiedError, file: string | undefined): LorafaError {
  const { problem, free, canResume, location } = error;
  const output = file === undefined ? '--output_dir ' : '--set training.output_dir=';
  const resume = canResume
    ? '; go on with it with --set training.resume_from_checkpoint=latest'
    : '';
  return new LorafaError(
    error.code,
    `${problem}; start anew beside it with ${output}${shellWord(free)}${resume}.`,
    location === undefined ? {} : { location },
  );
}

async function loadConfig(file: string | undefined, flags: TrainFlags): Promise<ResolvedConfig> {
  const overrides = (flags.set ?? []).map(parseOverride);
  const texts = givenTexts(flags);
  const names = [
    ...Object.keys(texts),
    ...(['lorafa', 'quantize'] as const).filter((name) => flags[name] === true),
  ];
  if (file === undefined) return fromFlags(names, texts, flags, overrides);
  const [name] = names;
  if (name === undefined) return readConfig(file, overrides);
  throw new LorafaError(
    'usage.invalid',
    `--${name} cannot be used together with the configuration ${file}; change a value of it with --set section.key=value.`,
  );
}

async function fromFlags(
  names: readonly string[],
  texts: Readonly<Record<string, string>>,
  flags: TrainFlags,
  overrides: readonly ConfigOverride[],
): Promise<ResolvedConfig> {
  if (names.length === 0) {
    throw new LorafaError(
      'usage.invalid',
      'lorafa train needs a configuration file, or --base_model_name_or_path and --dataset_name_or_path; see lorafa train --help.',
    );
  }
  const { lorafa, quantize } = flags;
  return configFromPeftFlags(
    { texts, lorafa: lorafa === true, quantize: quantize === true },
    overrides,
  );
}

function givenTexts(flags: TrainFlags): Readonly<Record<string, string>> {
  const given = PEFT_FLAGS.flatMap(({ name }) => {
    const text = flags[name];
    return typeof text === 'string' ? [[name, text] as const] : [];
  });
  return Object.fromEntries(given);
}
