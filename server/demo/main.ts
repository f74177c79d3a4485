import path from 'node:path';
import { Command, CommanderError } from 'commander';
import { exitCodeOf } from '../cli/exit-codes.ts';
import { printJson } from '../cli/print.ts';
import { runCommand } from '../cli/run-command.ts';
import { streamTarget } from '../cli/stream-target.ts';
import { runDemo } from './demo.ts';

/*
 * The program behind `npm run demo`, run from the root of the repository. What people see goes to
 * stdout or, with `--json`, to stderr, and then stdout holds one line: a `DemoResult`.
 */

const program = new Command('demo')
  .description('Fine-tune a small language model with LoRA-FA and show what it learned.')
  .option('--json', 'print the result as one line of JSON')
  .exitOverride();

try {
  const { json = false } = program.parse().opts<{ readonly json?: true }>();
  await runCommand(json, () => demo(json));
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  process.exitCode = error.exitCode === 0 ? 0 : exitCodeOf('usage.invalid');
}

async function demo(json: boolean): Promise<void> {
  const report = streamTarget(json ? process.stderr : process.stdout);
  const result = await runDemo({
    configFile: path.resolve('media', 'demo', 'demo.lorafa.json'),
    outputDir: path.resolve('demo-output', folderName(new Date())),
    report,
  });
  if (json) {
    printJson(process.stdout, result);
    return;
  }
  const seconds = result.seconds.toFixed(0);
  report.write(
    `\nDone in ${seconds} s. The adapter is in PEFT's format and works on top of media/demo/base:\n  ${result.adapter_dir}\n`,
  );
}

/** The time (UTC) as a name that sorts, such as `2026-01-31T14-05-09-123`; every run gets its own. */
function folderName(now: Date): string {
  return now.toISOString().replace(/[:.]/g, '-').replace('Z', '');
}
