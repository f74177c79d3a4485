import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { LorafaError, messageOf } from '../../engine/errors.ts';
import { RunRegistry } from './run-registry.ts';
import { Supervisor } from './supervisor.ts';
import { isTakenNote, parseTrainerJob, type TrainerReply } from './trainer-job.ts';
import { TrainerServer } from './trainer-server.ts';

/** The built `compute.ts`, beside this program. */
const COMPUTE_SCRIPT = fileURLToPath(new URL('./trainer-compute.js', import.meta.url));

/**
 * The process of one run. Its starter sends the job over the IPC channel, gets to know whether it
 * was taken on, says that it knows, and may then end: the run goes on, and is found again through
 * its folder.
 */
export async function serveRun(): Promise<void> {
  const [message] = await once(process, 'message');
  try {
    await runTrainer(message);
  } catch (error) {
    const code = error instanceof LorafaError ? error.code : 'internal.unexpected';
    await reply({ type: 'refused', code, message: messageOf(error) });
  }
  process.exit();
}

async function runTrainer(message: unknown): Promise<void> {
  const job = parseTrainerJob(message);
  const server = new TrainerServer();
  const address = await server.listen();
  try {
    const supervisor = await Supervisor.open({
      job,
      address,
      computeScript: COMPUTE_SCRIPT,
      registry: new RunRegistry(job.registryFolder),
      onStatus: (status) => server.tellStatus(status),
      onGrew: () => server.tellGrew(),
    });
    server.attach(supervisor);
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => stop(supervisor));
    }
    if (await isTaken({ type: 'ready', address })) await supervisor.run();
    else await supervisor.abandon();
  } finally {
    await server.close();
  }
}

/** Logging out or shutting down: save what there is. */
function stop(supervisor: Supervisor): void {
  try {
    supervisor.act('stop');
  } catch {
    // The run has just ended by itself.
  }
}

/** Tells the starter that the run is ready; resolves with whether it took note. */
async function isTaken(ready: TrainerReply): Promise<boolean> {
  const note = new Promise<boolean>((resolve) => {
    process.once('message', (message) => resolve(isTakenNote(message)));
    process.once('disconnect', () => resolve(false));
    if (!process.connected) resolve(false);
  });
  await reply(ready);
  const isTaken = await note;
  // The process between the two ends with the channel.
  if (isTaken && process.connected) process.disconnect();
  return isTaken;
}

/** Answers the starter, unless it is gone. */
async function reply(answer: TrainerReply): Promise<void> {
  if (!process.connected) return;
  await new Promise((resolve) => process.send?.(answer, undefined, undefined, resolve));
}
