import path from 'node:path';
import type { Command } from 'commander';
import { LorafaError } from '../../../engine/errors.ts';
import type { RunCheckpoint } from '../../protocol/runs.ts';
import { RunSessions } from '../../runs/run-sessions.ts';
import { checkpointsOf } from '../../runs/run-summary.ts';
import { printJson, printText } from '../print.ts';
import { runCommand } from '../run-command.ts';

interface FinishFlags {
  readonly checkpoint: string;
  readonly json?: true;
}

/** Adds `lorafa finish` to the program. */
export function addFinishCommand(program: Command): void {
  program
    .command('finish')
    .summary('make a checkpoint the result of a run')
    .description(
      'Make a checkpoint of a run that was stopped, cancelled or failed its result, without training.',
    )
    .argument('<run>', 'run folder')
    .option(
      '--checkpoint <which>',
      'latest, best (by evaluation loss) or the folder of a checkpoint',
      'latest',
    )
    .option('--json', 'print one JSON object')
    .action((run: string, flags: FinishFlags) =>
      runCommand(flags.json === true, () => finish(path.resolve(run), flags)),
    );
}

async function finish(folder: string, { checkpoint: which, json }: FinishFlags): Promise<void> {
  const sessions = new RunSessions(folder);
  await sessions.read();
  const chosen = choose(folder, which, await checkpointsOf(folder, sessions));
  // Loaded only now: a mistake is told without waiting for ONNX Runtime.
  const { finishRun } = await import('../../../engine/train/finish-run.ts');
  const losses = { loss: chosen.loss, eval_loss: chosen.evalLoss };
  const event = await finishRun(folder, chosen.folder, losses);
  if (json === true) printJson(process.stdout, event);
  else printText(process.stdout, `The result in ${folder} is that of step ${event.steps}.`);
}

/** @throws LorafaError `checkpoint.corrupt` where there is no such checkpoint */
function choose(
  folder: string,
  which: string,
  all: readonly RunCheckpoint[],
): Pick<RunCheckpoint, 'folder' | 'loss' | 'evalLoss'> {
  const fail = (problem: string): LorafaError =>
    new LorafaError('checkpoint.corrupt', `${folder} ${problem}.`, { location: { file: folder } });
  const usable = all.filter(({ problem, isCurrent }) => problem === null && isCurrent);
  if (which === 'latest') {
    const latest = usable.at(-1);
    if (latest === undefined) throw fail('has no checkpoint that could be its result');
    return latest;
  }
  if (which === 'best') {
    const [best] = usable
      .filter(({ evalLoss }) => evalLoss !== null)
      .toSorted((a, b) => a.evalLoss! - b.evalLoss!);
    if (best === undefined) {
      throw fail('has no checkpoint that was evaluated; choose one by its folder, or latest');
    }
    return best;
  }
  const named = path.resolve(which);
  return (
    all.find((checkpoint) => checkpoint.folder === named) ?? {
      folder: named,
      loss: null,
      evalLoss: null,
    }
  );
}
