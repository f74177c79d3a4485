import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { homedir } from 'node:os';
import { type ErrorCode, LorafaError } from '../../engine/errors.ts';
import { tokenToGive, withoutToken } from '../../engine/hub/hub-token.ts';
import {
  TAKEN_NOTE,
  type TrainerJob,
  type TrainerReply,
  trainerReplySchema,
} from '../trainer/trainer-job.ts';

/** How long the processes of a start that failed may take to end by themselves. */
const GIVE_UP_MS = 4000;

/**
 * Starts a run in processes that go on when this one ends, and all its children with it. Resolves
 * when the trainer has taken the run on, so that its folder tells of it. When it rejects, nothing
 * was left that computes.
 *
 * @param script the built `trainer/main.ts`
 * @param variables of its environment, beside those of this process
 * @throws LorafaError the trainer's reason for refusing the run; `training.crashed` or
 * `training.no_answer` when it gives none
 */
export async function startTrainer(
  script: string,
  job: Omit<TrainerJob, 'hubToken'>,
  timeoutMs: number,
  variables: NodeJS.ProcessEnv = {},
): Promise<void> {
  const child = spawn(process.execPath, [script], {
    detached: true,
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    windowsHide: true,
    // The folder that this process happens to be in may be removed while the run goes on.
    cwd: homedir(),
    // Inside VS Code, Node is VS Code's own program, told to be nothing else.
    env: { ...withoutToken(), ...variables, ELECTRON_RUN_AS_NODE: '1' },
  });
  const answered = answerOf(child, timeoutMs);
  child.send({ ...job, hubToken: tokenToGive() }, () => undefined);
  try {
    const answer = await answered;
    if (answer.type === 'refused') {
      // The code comes from the same package.
      throw new LorafaError(answer.code as ErrorCode, answer.message);
    }
    await takeNote(child);
  } catch (error) {
    await giveUp(child);
    throw error;
  } finally {
    if (child.connected) child.disconnect();
    child.unref();
  }
}

function takeNote(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    child.send(TAKEN_NOTE, (error) =>
      error === null ? resolve() : reject(startFailure('training.crashed', error.message)),
    );
  });
}

/** Lets go of a trainer, which ends then; resolves when that is done. */
async function giveUp(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  if (child.connected) child.disconnect();
  const timer = setTimeout(() => child.kill('SIGKILL'), GIVE_UP_MS);
  await ended;
  clearTimeout(timer);
}

async function answerOf(child: ChildProcess, timeoutMs: number): Promise<TrainerReply> {
  const timeout = AbortSignal.timeout(timeoutMs);
  return new Promise((resolve, reject) => {
    child.once('message', (raw) => {
      const reply = trainerReplySchema.safeParse(raw);
      if (reply.success) resolve(reply.data);
      else reject(startFailure('training.no_answer', 'said something that is not understood'));
    });
    child.once('error', (error) => reject(startFailure('training.crashed', error.message)));
    child.once('exit', (code, signal) => {
      const fail = (): void =>
        reject(
          startFailure('training.crashed', `ended at once (${signal ?? `exit code ${code}`})`),
        );
      // What it said last may be heard only now, on a busy machine.
      if (child.connected) child.once('disconnect', fail);
      else fail();
    });
    timeout.addEventListener('abort', () =>
      reject(startFailure('training.no_answer', `did not answer within ${timeoutMs / 1000} s`)),
    );
  });
}

function startFailure(code: ErrorCode, how: string): LorafaError {
  return new LorafaError(
    code,
    `The run could not be started: its process ${how}; try again, and if that does not help install the extension again.`,
  );
}
