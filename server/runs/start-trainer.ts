import { type ChildProcess, spawn } from 'node:child_process';
import { homedir } from 'node:os';
import { type ErrorCode, LorafaError } from '../../engine/errors.ts';
import { type TrainerJob, type TrainerReply, trainerReplySchema } from '../trainer/trainer-job.ts';

/**
 * Starts a run in processes that go on when this one ends, and all its children with it. Resolves when the trainer has taken
 * the run on, so that its folder tells of it.
 *
 * @param script the built `trainer/main.ts`
 * @throws LorafaError the trainer's reason for refusing the run; `training.crashed` or
 * `training.no_answer` when it gives none
 */
export async function startTrainer(
  script: string,
  job: TrainerJob,
  timeoutMs: number,
): Promise<void> {
  const child = spawn(process.execPath, [script], {
    detached: true,
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    windowsHide: true,
    // The folder that this process happens to be in may be removed while the run goes on.
    cwd: homedir(),
    // Inside VS Code, Node is VS Code's own program, told to be nothing else.
    env: { ...process.env, ELECTRON_RUN_AS_NODE: '1' },
  });
  const answered = answerOf(child, timeoutMs);
  child.send(job, () => undefined);
  try {
    const answer = await answered;
    if (answer.type === 'refused') {
      // The code comes from the same package.
      throw new LorafaError(answer.code as ErrorCode, answer.message);
    }
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  } finally {
    if (child.connected) child.disconnect();
    child.unref();
  }
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
    child.once('exit', (code, signal) =>
      reject(startFailure('training.crashed', `ended at once (${signal ?? `exit code ${code}`})`)),
    );
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
