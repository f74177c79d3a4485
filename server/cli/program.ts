import { Command } from 'commander';
import { version } from '../../package.json';
import { addAccelerateCommand } from './commands/accelerate.ts';
import { addCacheCommand } from './commands/cache.ts';
import { addCudaCommand } from './commands/cuda.ts';
import { addDoctorCommand } from './commands/doctor.ts';
import { addEvaluateCommand } from './commands/evaluate.ts';
import { addExportCommand } from './commands/export.ts';
import { addFinishCommand } from './commands/finish.ts';
import { addGenerateCommand } from './commands/generate.ts';
import { addMeasureCommand } from './commands/measure.ts';
import { addMetricsCommand } from './commands/metrics.ts';
import { addPlanCommand } from './commands/plan.ts';
import { addPreviewCommand } from './commands/preview.ts';
import { addPushCommand } from './commands/push.ts';
import { addTrainCommand } from './commands/train.ts';
import { describeExitCodes } from './exit-codes.ts';

/**
 * The command line `lorafa` with all its commands. Instead of ending the process on a usage error,
 * parsing throws a `CommanderError`.
 */
export function createProgram(): Command {
  const program = new Command('lorafa')
    .description('Fine-tune language models with LoRA-FA on this machine.')
    .version(version)
    .exitOverride()
    .helpCommand(false)
    .showHelpAfterError('(see --help)')
    .addHelpText('after', `\n${describeExitCodes()}`);
  addTrainCommand(program);
  addFinishCommand(program);
  addMetricsCommand(program);
  addExportCommand(program);
  addPushCommand(program);
  addGenerateCommand(program);
  addEvaluateCommand(program);
  addPlanCommand(program);
  addMeasureCommand(program);
  addPreviewCommand(program);
  addCacheCommand(program);
  addCudaCommand(program);
  addDoctorCommand(program);
  addAccelerateCommand(program);
  return program;
}
