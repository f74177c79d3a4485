import { describeFailure } from './failure.ts';
import { printJson, printText } from './print.ts';

/**
 * Runs the action of a command. Whatever it throws is reported (as a `failed` event on stdout with
 * `--json`, otherwise in words on stderr) and becomes the exit code of the process, which ends by
 * itself so that all output is flushed.
 */
export async function runCommand(json: boolean, action: () => Promise<void>): Promise<void> {
  try {
    await action();
  } catch (error) {
    const failure = describeFailure(error);
    if (json) printJson(process.stdout, failure.event);
    else printText(process.stderr, failure.text);
    process.exitCode = failure.exitCode;
  }
}
