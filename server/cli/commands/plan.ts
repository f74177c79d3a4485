import type { Command } from 'commander';
import { withConfigFile } from '../../../engine/accelerate/config-file.ts';
import { parseOverride } from '../../../engine/config/overrides.ts';
import { readConfig } from '../../../engine/config/parse.ts';
import { estimateRun } from '../../../engine/plan/estimate-run.ts';
import { renderEstimate } from '../estimate-report.ts';
import { printJson, printText } from '../print.ts';
import { runCommand } from '../run-command.ts';
import { stderrProgress } from '../stderr-progress.ts';
import { collect } from './options.ts';

interface PlanFlags {
  readonly set?: readonly string[];
  readonly json?: true;
}

/** Adds `lorafa plan` to the program. */
export function addPlanCommand(program: Command): void {
  program
    .command('plan')
    .summary('estimate what a run would take')
    .description(
      'Estimate the memory, the steps and the trainable parameters of a run from its model and its data, without starting it.',
    )
    .argument('<config>', 'run configuration (*.lorafa.json)')
    .option('--set <section.key=value>', 'replace a value of the configuration', collect)
    .option('--json', 'print one JSON object')
    .action((file: string, flags: PlanFlags) =>
      runCommand(flags.json === true, () => plan(file, flags)),
    );
}

async function plan(file: string, flags: PlanFlags): Promise<void> {
  const config = await withConfigFile(await readConfig(file, (flags.set ?? []).map(parseOverride)));
  const { FACTS_OF_RUNTIME } = await import('../../../engine/runtime/device-memory.ts');
  const estimate = await estimateRun(config, stderrProgress(), FACTS_OF_RUNTIME);
  if (flags.json === true) printJson(process.stdout, estimate);
  else printText(process.stdout, renderEstimate(estimate));
}
