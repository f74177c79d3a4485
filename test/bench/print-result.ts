import { messageOf } from '../../engine/errors.ts';

/**
 * The main part of a measuring program: prints the result as one line of JSON, or says in words on
 * stderr why there is none.
 */
export async function printResult(measure: () => Promise<unknown>): Promise<void> {
  try {
    process.stdout.write(`${JSON.stringify(await measure())}\n`);
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n`);
    process.exitCode = 1;
  }
}
