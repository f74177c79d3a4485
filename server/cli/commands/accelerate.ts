import type { Command } from 'commander';
import { Ranks } from '../../../engine/accelerate/ranks.ts';
import { parseOverride } from '../../../engine/config/overrides.ts';
import { readConfig } from '../../../engine/config/parse.ts';
import { LorafaError } from '../../../engine/errors.ts';
import { printJson, printText } from '../print.ts';
import { runCommand } from '../run-command.ts';
import { collect } from './options.ts';

interface CheckFlags {
  readonly set?: readonly string[];
  readonly json?: true;
}

/** Adds `lorafa accelerate` to the program. */
export function addAccelerateCommand(program: Command): void {
  program
    .command('accelerate')
    .summary('look at what engine.backend "accelerate" computes with')
    .helpCommand(false)
    .command('check')
    .summary('start the Python of a configuration and say what it has')
    .description(
      'Start the processes of a configuration as a run does, without a model, and say what they compute with, or what is missing and how to get it.',
    )
    .argument('<config>', 'run configuration (*.lorafa.json)')
    .option('--set <section.key=value>', 'replace a value of the configuration', collect)
    .option('--json', 'print one JSON object')
    .action((file: string, flags: CheckFlags) =>
      runCommand(flags.json === true, () => check(file, flags)),
    );
}

async function check(file: string, flags: CheckFlags): Promise<void> {
  const config = await readConfig(file, (flags.set ?? []).map(parseOverride));
  if (config.engine.backend !== 'accelerate') {
    throw new LorafaError(
      'usage.invalid',
      `${file} trains with engine.backend "${config.engine.backend}", which lorafa doctor looks at; set engine.backend to "accelerate".`,
    );
  }
  const ranks = await Ranks.start(config);
  try {
    const { device, packages } = ranks.hello;
    if (flags.json === true) {
      printJson(process.stdout, { processes: ranks.count, device, packages });
      return;
    }
    const rows = [['processes', `${ranks.count} on ${device}`], ...Object.entries(packages)];
    const width = Math.max(...rows.map(([name]) => name!.length));
    for (const [name, value] of rows) {
      printText(process.stdout, `${name!.padEnd(width)}  ${value}`);
    }
  } finally {
    await ranks.release();
  }
}
