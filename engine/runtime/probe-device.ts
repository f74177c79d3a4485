import { wordsOf } from '../errors.ts';
import { parseDevice } from './device.ts';
import { selfTest } from './device-self-test.ts';

/**
 * Entry of the process that tries out one device, given as its argument: a missing library can
 * abort the process, which must then not be the one that asks. Prints nothing and exits with 0
 * where the device works, else says on stderr why not.
 */
try {
  await selfTest(parseDevice(process.argv[2] ?? 'cpu'));
} catch (error) {
  process.stderr.write(wordsOf(error));
  process.exitCode = 1;
}
