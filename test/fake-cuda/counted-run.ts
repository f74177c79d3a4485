import { readConfig } from '../../engine/config/parse.ts';
import { messageOf } from '../../engine/errors.ts';
import type { TrainEvent } from '../../engine/train/events.ts';
import { train } from '../../engine/train/train.ts';
import { type Counters, deviceCounters } from './counters.ts';
import { RUNTIME_LIBRARY } from './fake-cuda.ts';

/** What a run says, and what its device was asked for until then. */
export interface CountedEvent {
  readonly event: TrainEvent;
  readonly counters: Counters;
}

/*
 * Trains a configuration, which is the argument, on the stand-in. Prints a line of JSON for each event.
 */
const { read } = deviceCounters(RUNTIME_LIBRARY);
const config = await readConfig(process.argv[2]!);
try {
  await train(config, {
    onEvent: (event) => {
      const line: CountedEvent = { event, counters: read() };
      process.stdout.write(`${JSON.stringify(line)}\n`);
    },
  });
} catch (error) {
  process.stderr.write(messageOf(error));
  process.exitCode = 1;
}
