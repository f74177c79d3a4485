import os from 'node:os';
import { LorafaError, messageOf } from '../../engine/errors.ts';
import { giveHubToken } from '../../engine/hub/hub-token.ts';
import { TrainControl } from '../../engine/train/control.ts';
import { train } from '../../engine/train/train.ts';
import { endWithParent } from '../end-with-parent.ts';
import type { ComputeMemory, ComputeMessage, ComputeRequest } from './compute-messages.ts';
import { takeHeapEnvironment } from './heap-environment.ts';

/**
 * The computing half of a trainer: owns ONNX Runtime, whose calls block this process's event loop
 * and may end the process. It does what its parent says and ends with it.
 */
let pauseId = 0;
const control = new TrainControl(() => send({ type: 'held', id: pauseId }));

takeHeapEnvironment();
process.on('message', (message) => obey(message as ComputeRequest));
// Whoever waits for an answer goes first: the editor stays quick, and a run that is alone loses nothing.
os.setPriority(os.constants.priority.PRIORITY_BELOW_NORMAL);
// Without its parent nobody holds the lock of the run folder, so nothing may be written any more.
process.on('disconnect', () => process.exit(1));
endWithParent();
// The end of a run is the parent's decision: it gets the same signal and asks for a clean stop.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);

function obey(message: ComputeRequest): void {
  switch (message.type) {
    case 'start':
      giveHubToken(message.hubToken);
      void run(message.config);
      break;
    case 'pause':
      pauseId = message.id;
      control.pause();
      break;
    case 'resume':
      control.resume();
      break;
    case 'stop':
    case 'cancel':
      control.stop(message.type);
      break;
    case 'checkpoint':
      control.checkpoint();
      break;
  }
}

async function run(config: Parameters<typeof train>[0]): Promise<void> {
  try {
    const { status } = await train(config, {
      control,
      isLocked: true,
      onEvent: (event) => send({ type: 'event', event, memory: memory() }),
      // Into the run's log.
      onOutput: (line) => console.error(line),
    });
    finish({ type: 'ended', status });
  } catch (error) {
    // Into the run's log.
    if (!(error instanceof LorafaError)) console.error(error);
    else if (error.detail !== undefined) console.error(error.detail);
    const code = error instanceof LorafaError ? error.code : 'internal.unexpected';
    finish({ type: 'failed', code, message: messageOf(error) });
  }
}

function send(message: ComputeMessage): void {
  process.send?.(message);
}

/** Native libraries have threads that keep a process alive, and crash at its end: leave at once. */
function finish(message: ComputeMessage): void {
  process.send?.(message, undefined, undefined, () => process.exit());
}

function memory(): ComputeMemory {
  return {
    resident: process.memoryUsage.rss(),
    peak: process.resourceUsage().maxRSS * 1024,
  };
}
