import { readConfig } from '../../engine/config/parse.ts';
import { estimateRun } from '../../engine/plan/estimate-run.ts';
import { FACTS_OF_RUNTIME } from '../../engine/runtime/device-memory.ts';

/*
 * Plans a configuration, which is the argument, on the stand-in, as `lorafa plan` does. Prints the estimate as a line
 * of JSON.
 */
const config = await readConfig(process.argv[2]!);
const estimate = await estimateRun(config, () => undefined, FACTS_OF_RUNTIME);
process.stdout.write(`${JSON.stringify(estimate)}\n`);
