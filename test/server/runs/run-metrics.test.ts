import { appendFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import type { TrainEvent } from '../../../engine/train/events.ts';
import { metricsCsv, runMetrics } from '../../../server/runs/run-metrics.ts';
import { completedEvent, startedEvent, stepEvent } from '../../support/journal-events.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const TIME = '2026-01-01T00:00:00.000Z';

async function runOf(...events: readonly (TrainEvent & { readonly memory?: number })[]) {
  const folder = await tempFolder();
  const lines = events.map((event) => `${JSON.stringify({ time: TIME, ...event })}\n`);
  await writeFile(path.join(folder, 'events.jsonl'), lines.join(''));
  return folder;
}

const evaluation = (step: number, loss: number): TrainEvent => ({
  ...{ type: 'eval', step, epoch: 0, eval_loss: loss, eval_perplexity: 2, eval_runtime: 0.5 },
});

test('a row has what was measured at its step', async () => {
  const folder = await runOf(
    startedEvent(),
    evaluation(0, 3),
    { ...stepEvent({ step: 1, loss: 2.5, tokens_per_second: Number.NaN }), memory: 1000 },
    evaluation(1, 2),
    completedEvent(),
  );
  expect(metricsCsv((await runMetrics(folder)).rows)).toBe(
    [
      'step,time,epoch,loss,grad_norm,learning_rate,num_tokens,tokens_per_second,memory,eval_loss,eval_perplexity,eval_runtime',
      `0,${TIME},,,,,,,,3,2,0.5`,
      `1,${TIME},1,2.5,1,0.0001,64,,1000,2,2,0.5`,
      '',
    ].join('\r\n'),
  );
});

test('steps that the run left behind are not among them', async () => {
  const folder = await runOf(
    startedEvent(),
    ...[1, 2, 3].map((step) => stepEvent({ step, loss: step })),
    startedEvent({ resumedAt: 1 }),
    stepEvent({ step: 2, loss: 20 }),
  );
  const { rows, problem } = await runMetrics(folder);
  expect(problem).toBeNull();
  expect(rows.map(({ step, loss }) => [step, loss])).toEqual([
    [1, 1],
    [2, 20],
  ]);
});

test('a folder without a journal is no run', async () => {
  await expect(runMetrics(await tempFolder())).rejects.toMatchObject({ code: 'output.not_found' });
});

test('neither is one of its files, nor a folder whose journal is damaged from its start', async () => {
  const folder = await tempFolder();
  const refused = async (run: string, reason: string): Promise<void> => {
    await expect(runMetrics(run)).rejects.toMatchObject({
      code: 'output.not_found',
      message: `${run} is not the folder of a run: ${reason}; name the training.output_dir of one.`,
    });
  };
  await writeFile(path.join(folder, 'events.jsonl'), '{\n');
  await refused(path.join(folder, 'events.jsonl'), 'it has no events.jsonl');
  await refused(folder, 'events.jsonl line 1 is damaged and was left out');
});

test('damaged lines are told', async () => {
  const folder = await runOf(startedEvent(), stepEvent({ step: 1 }));
  await appendFile(path.join(folder, 'events.jsonl'), '{"type":\n[]\n');
  const { rows, problem } = await runMetrics(folder);
  expect(rows).toHaveLength(1);
  expect(problem).toBe('events.jsonl line 3 and 1 more are damaged and were left out.');
});
