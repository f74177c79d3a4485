import path from 'node:path';
import { type Command, Option } from 'commander';
import { withConfigFile } from '../../../engine/accelerate/config-file.ts';
import { portProblem } from '../../../engine/accelerate/port-problem.ts';
import { localProcesses } from '../../../engine/accelerate/rank-commands.ts';
import { Ranks } from '../../../engine/accelerate/ranks.ts';
import { parseOverride } from '../../../engine/config/overrides.ts';
import { readConfig } from '../../../engine/config/parse.ts';
import type { ResolvedConfig } from '../../../engine/config/schema.ts';
import { LorafaError } from '../../../engine/errors.ts';
import { INTERRUPTED } from '../exit-codes.ts';
import { withInterrupt } from '../interrupt.ts';
import { LAUNCH_TEXTS, type Launcher } from '../launch-texts.ts';
import { printJson, printText } from '../print.ts';
import { runCommand } from '../run-command.ts';
import { stderrProgress } from '../stderr-progress.ts';
import { collect, numberOption } from './options.ts';

interface CommonFlags {
  readonly set?: readonly string[];
  readonly json?: true;
}

interface CommandFlags extends CommonFlags {
  readonly launcher: Launcher;
  readonly folder: string;
  readonly machines?: number;
  readonly hosts?: readonly string[];
  readonly port?: number;
}

interface ExportFlags extends CommonFlags {
  readonly output: string;
}

/** Adds `lorafa accelerate` to the program. */
export function addAccelerateCommand(program: Command): void {
  const accelerate = program
    .command('accelerate')
    .summary(
      'runs on Hugging Face Accelerate: look at their Python, export them, start them elsewhere',
    )
    .helpCommand(false);
  subcommand(accelerate, 'check')
    .summary('start the Python of a configuration and say what it has')
    .description(
      'Start the processes of a configuration as a run does, without a model, and say what they compute with, or what is missing and how to get it.',
    )
    .option('--json', 'print one JSON object')
    .action((file: string, flags: CommonFlags) =>
      runCommand(flags.json === true, () =>
        withInterrupt(
          () => process.exit(INTERRUPTED),
          () => check(file, flags),
        ),
      ),
    );
  subcommand(accelerate, 'export')
    .summary('write a run as a program that needs nothing of lorafa')
    .description(
      'Write a run as a folder with a Python program, its steps with their tokens and learning rates, and the adapter that it begins with: to be run anywhere where PyTorch, transformers, PEFT and Accelerate are. The base model is not in it.',
    )
    .requiredOption('--output <folder>', 'the folder to make')
    .option('--json', 'print one JSON object')
    .action((file: string, flags: ExportFlags) =>
      runCommand(flags.json === true, () => exportCommand(file, flags)),
    );
  subcommand(accelerate, 'command')
    .summary('print how an exported run is started, machine by machine')
    .description(
      'Print what starts an exported run: commands for each machine, a script that starts them by SSH, a job for `sbatch` of Slurm, or a task for SkyPilot. The processes of `accelerate.num_processes` are shared by `accelerate.num_machines`; another number of machines has as many processes on each.',
    )
    .addOption(
      new Option('--launcher <launcher>', 'what starts it')
        .choices(Object.keys(LAUNCH_TEXTS))
        .default('torchrun'),
    )
    .option('--folder <path>', 'where the exported folder lies on each machine', '.')
    .option(
      '--machines <number>',
      'machines (default: as many as --hosts names, or accelerate.num_machines)',
      numberOption({ min: 1, max: 10_000, integer: true }, 'a number of machines'),
    )
    .option('--hosts <names>', 'names of the machines, with commas between them', (text) =>
      text.split(',').map((name) => name.trim()),
    )
    .option(
      '--port <number>',
      'port at which the first machine listens (default: accelerate.main_process_port)',
      numberOption({ min: 1, max: 65_535, integer: true }, 'a port'),
    )
    .action((file: string, flags: CommandFlags) =>
      runCommand(false, () => commandCommand(file, flags)),
    );
}

function subcommand(parent: Command, name: string): Command {
  return parent
    .command(name)
    .argument('<config>', 'run configuration (*.lorafa.json)')
    .option('--set <section.key=value>', 'replace a value of the configuration', collect);
}

/** @throws LorafaError as `readConfig` and `withConfigFile`, and `usage.invalid` for a run that ONNX Runtime computes */
async function accelerateConfig(file: string, { set }: CommonFlags): Promise<ResolvedConfig> {
  const config = await readConfig(file, (set ?? []).map(parseOverride));
  if (config.engine.backend === 'accelerate') return withConfigFile(config);
  throw new LorafaError(
    'usage.invalid',
    `${file} trains with engine.backend "${config.engine.backend}", which lorafa doctor looks at; set engine.backend to "accelerate".`,
  );
}

async function check(file: string, flags: CommonFlags): Promise<void> {
  const config = await accelerateConfig(file, flags);
  const port = await listeningPort(config);
  const ranks = await Ranks.start(onThisMachine(config));
  try {
    const { device, packages, backends } = ranks.hello;
    if (flags.json === true) {
      printJson(process.stdout, { processes: ranks.count, device, packages, backends, port });
      return;
    }
    const rows = [
      ['processes', `${ranks.count} on ${device}`],
      ...Object.entries(packages),
      ...Object.entries(backends).map(([name, has]) => [name, has ? 'yes' : 'no']),
      ...(port === null ? [] : [['port', `${port}, which is free`]]),
    ];
    const width = Math.max(...rows.map(([name]) => name!.length));
    for (const [name, value] of rows) {
      printText(process.stdout, `${name!.padEnd(width)}  ${value}`);
    }
  } finally {
    await ranks.release();
  }
}

/**
 * The port at which this machine will listen; null where it is not the first of several.
 *
 * @throws LorafaError `device.unavailable` where it cannot
 */
async function listeningPort({ accelerate }: ResolvedConfig): Promise<number | null> {
  const { num_machines, machine_rank, main_process_port: port } = accelerate;
  if (num_machines === 1 || machine_rank > 0) return null;
  const problem = await portProblem(port);
  if (problem === undefined) return port;
  throw new LorafaError(
    'device.unavailable',
    `This machine, which is the first, cannot listen at port ${port} (${problem}); set accelerate.main_process_port to another one on all machines.`,
  );
}

/** The processes of this machine without the others, which nobody may have started. */
function onThisMachine(config: ResolvedConfig): ResolvedConfig {
  const num_processes = localProcesses(config);
  const accelerate = { ...config.accelerate, num_processes, num_machines: 1, machine_rank: 0 };
  return { ...config, accelerate };
}

async function exportCommand(file: string, flags: ExportFlags): Promise<void> {
  const config = await accelerateConfig(file, flags);
  const { exportProgram } = await import('../../../engine/train/export-program.ts');
  const made = await exportProgram(config, path.resolve(flags.output), stderrProgress());
  if (flags.json === true) {
    printJson(process.stdout, made);
    return;
  }
  for (const note of made.notes) printText(process.stderr, note);
  printText(
    process.stdout,
    `${made.folder} has ${made.steps} steps. It takes the base model from ${made.model}; README.md in it says how to run it, lorafa accelerate command how to start it on several machines.`,
  );
}

async function commandCommand(file: string, flags: CommandFlags): Promise<void> {
  const { accelerate, engine } = await accelerateConfig(file, flags);
  const { launcher, folder, hosts = [] } = flags;
  const machines = flags.machines ?? (hosts.length || accelerate.num_machines);
  const processes = localProcesses({ accelerate });
  if (hosts.some((host) => !/^[\w[\]:.@][\w[\]:.@-]*$/.test(host))) {
    throw new LorafaError(
      'usage.invalid',
      `--hosts "${hosts.join(',')}" has a name that no machine has; give names or addresses with commas between them.`,
    );
  }
  if (hosts.length !== machines && (hosts.length > 0 || launcher === 'ssh')) {
    throw new LorafaError(
      'usage.invalid',
      `--hosts names ${hosts.length} machines and the run has ${machines}; name each of them.`,
    );
  }
  const usesGpus = engine.device !== 'cpu';
  if (launcher === 'accelerate' && !usesGpus && machines * processes > 1) {
    throw new LorafaError(
      'usage.invalid',
      'accelerate launch starts several processes on a CPU by MPI alone; use --launcher torchrun.',
    );
  }
  const text = LAUNCH_TEXTS[launcher]({
    name: path
      .basename(file)
      .replace(/(?:\.lorafa)?\.json$/, '')
      .replaceAll(/[^\w.-]/g, '-'),
    folder,
    python: accelerate.python ?? 'python3',
    processes,
    usesGpus,
    mixedPrecision: accelerate.mixed_precision,
    machines,
    hosts,
    firstHost: accelerate.main_process_ip ?? hosts[0],
    port: flags.port ?? accelerate.main_process_port,
  });
  printText(process.stdout, text);
}
