import { wordsOf } from '../errors.ts';
import { slowness } from './compare-speed.ts';
import { parseDevice } from './device.ts';
import { selfTest, selfTestBfloat16 } from './device-self-test.ts';
import { provokeBufferLimit } from './provoke-buffer-limit.ts';

/**
 * Entry of the process that tries out one device, given as its argument, or with "bfloat16" as a second one products
 * of such numbers on it: a missing library can abort the process, which must then not be the one that asks. Exits
 * with 0 where the device works, and prints why it is not worth taking by itself, or nothing; else says on stderr why
 * it does not work. What a WebGPU device says of its largest buffer is on stderr as well.
 */
try {
  const [, , name = 'cpu', what] = process.argv;
  const device = parseDevice(name);
  await (what === 'bfloat16' ? selfTestBfloat16 : selfTest)(device);
  if (device.kind === 'webgpu') {
    process.stdout.write((await slowness(device)) ?? '');
    provokeBufferLimit();
  }
} catch (error) {
  process.stderr.write(wordsOf(error));
  process.exitCode = 1;
}
