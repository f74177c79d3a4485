import { startTrainer } from '../../../../server/runs/start-trainer.ts';
import type { TrainerJob } from '../../../../server/trainer/trainer-job.ts';

/** A window that starts a run and may be killed at any moment of that. */
process.once('message', async ({ script, job }: { script: string; job: TrainerJob }) => {
  await startTrainer(script, job, 20_000).then(
    () => process.send!('started'),
    () => process.send!('failed'),
  );
});
