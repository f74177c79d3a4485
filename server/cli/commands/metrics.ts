import path from 'node:path';
import type { Command } from 'commander';
import { metricsCsv, runMetrics } from '../../runs/run-metrics.ts';
import { printJson, printPiece, printText } from '../print.ts';
import { runCommand } from '../run-command.ts';

interface MetricsFlags {
  readonly json?: true;
}

/** Adds `lorafa metrics` to the program. */
export function addMetricsCommand(program: Command): void {
  program
    .command('metrics')
    .summary('print what was measured in a run as CSV')
    .description(
      'Print what was measured in a run, a row for each step that was reported, as CSV. Steps that the run left behind when it went back to an earlier checkpoint are left out.',
    )
    .argument('<run>', 'run folder')
    .option('--json', 'print one JSON object a row')
    .action((run: string, flags: MetricsFlags) =>
      runCommand(flags.json === true, () => metrics(path.resolve(run), flags)),
    );
}

async function metrics(folder: string, { json }: MetricsFlags): Promise<void> {
  const { rows, problem } = await runMetrics(folder);
  if (json !== true) printPiece(process.stdout, metricsCsv(rows));
  else for (const row of rows) printJson(process.stdout, row);
  if (problem !== null) printText(process.stderr, `warning: ${path.join(folder, problem)}`);
}
