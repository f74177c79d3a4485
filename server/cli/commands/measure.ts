import type { Command } from 'commander';
import { parseOverride } from '../../../engine/config/overrides.ts';
import { readConfig } from '../../../engine/config/parse.ts';
import { TrainControl } from '../../../engine/train/control.ts';
import { measureSpeed } from '../../../engine/train/measure-speed.ts';
import { formatCount } from '../../format.ts';
import { withInterrupt } from '../interrupt.ts';
import { printJson, printText } from '../print.ts';
import { runCommand } from '../run-command.ts';
import { stderrProgress } from '../stderr-progress.ts';
import { collect } from './options.ts';

interface MeasureFlags {
  readonly set?: readonly string[];
  readonly json?: true;
}

/** Adds `lorafa measure` to the program. */
export function addMeasureCommand(program: Command): void {
  program
    .command('measure')
    .summary('time a few steps of a run')
    .description(
      'Time a few real steps of a run on this machine, on its first rows. What they learn is thrown away.',
    )
    .argument('<config>', 'run configuration (*.lorafa.json)')
    .option('--set <section.key=value>', 'replace a value of the configuration', collect)
    .option('--json', 'print one JSON object')
    .action((file: string, flags: MeasureFlags) =>
      runCommand(flags.json === true, () => measure(file, flags)),
    );
}

async function measure(file: string, flags: MeasureFlags): Promise<void> {
  const config = await readConfig(file, (flags.set ?? []).map(parseOverride));
  const control = new TrainControl();
  const speed = await withInterrupt(
    () => control.stop('cancel'),
    () => measureSpeed(config, stderrProgress(), control),
  );
  const { tokensPerSecond, steps } = speed;
  if (flags.json === true) printJson(process.stdout, speed);
  else
    printText(
      process.stdout,
      `${formatCount(tokensPerSecond)} tokens per second in the median of ${steps} steps`,
    );
}
