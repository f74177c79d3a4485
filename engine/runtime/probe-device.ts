import { wordsOf } from '../errors.ts';
import { parseDevice } from './device.ts';
import { selfTest, selfTestBfloat16 } from './device-self-test.ts';

/**
 * Entry of the process that tries out one device, given as its argument, or with "bfloat16" as
 * a second one products of such numbers on it: a missing library can abort the process, which must then not be the one that asks. Prints nothing and exits with 0
 * where the device works, else says on stderr why not.
 */
try {
  const [, , device = 'cpu', what] = process.argv;
  await (what === 'bfloat16' ? selfTestBfloat16 : selfTest)(parseDevice(device));
} catch (error) {
  process.stderr.write(wordsOf(error));
  process.exitCode = 1;
}
