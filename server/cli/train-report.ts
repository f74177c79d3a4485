import type { ProgressEvent, SplitReport } from '../../engine/plan/plan-reports.ts';
import type { SessionFacts, StepEvent, TrainEvent } from '../../engine/train/events.ts';
import type { Verdict } from '../../engine/train/verdict.ts';
import { MAX_GRADIENT_ERROR } from '../../engine/weights/compute-mode.ts';
import { formatCount, formatDuration, formatPerplexity } from '../format.ts';
import { plainJson, plainLines } from '../plain-text.ts';
import { progressText } from '../progress-text.ts';
import { describePadding } from './padding-report.ts';
import { renderProgressBar, renderStepLine, renderTaskBar, secondsLeft } from './progress-bar.ts';
import { describeInferred, describeSets, splitCount } from './split-words.ts';

/** Where a report is written: a terminal that can redraw its last line, or a plain stream. */
export interface ReportTarget {
  write(text: string): void;
  /** Width of the terminal, or undefined where lines cannot be redrawn. */
  readonly columns: number | undefined;
  /** Seconds of any clock that only goes forward. */
  now(): number;
}

/** A listener that prints each event as one line of JSON. */
export function jsonReport(write: (text: string) => void): (event: object) => void {
  return (event) => write(`${plainJson(event)}\n`);
}

/** A listener that tells people how a run goes: a progress bar in a terminal, lines elsewhere. */
export function textReport(target: ReportTarget): (event: TrainEvent) => void {
  let session: { readonly startedAt: number; readonly resumedAt: number } | undefined;
  let verdict: Verdict | null = null;

  const line = (quoting: string): void => {
    const text = plainLines(quoting, LINE_LIMIT);
    target.write(target.columns === undefined ? `${text}\n` : `${CLEAR_LINE}${text}\n`);
  };
  const redraw = (text: string): void => target.write(`${CLEAR_LINE}${text}`);

  const reportStep = (event: StepEvent): void => {
    const eta =
      session &&
      secondsLeft({
        steps: event.step - session.resumedAt,
        seconds: target.now() - session.startedAt,
        stepsLeft: event.maxSteps - event.step,
      });
    if (target.columns === undefined) line(renderStepLine(event, eta));
    else redraw(renderProgressBar(event, eta, target.columns));
  };

  const reportTask = (event: ProgressEvent): void => {
    const { task, done, total } = event;
    if (target.columns === undefined) {
      // Without a terminal a task is told once, when it is done.
      if (done === total) line(`${task}: done`);
    } else if (done === total) target.write(CLEAR_LINE);
    else redraw(renderTaskBar(done / total, progressText(event), target.columns));
  };

  return (event) => {
    switch (event.type) {
      case 'progress':
        reportTask(event);
        return;
      case 'started':
        session = { startedAt: target.now(), resumedAt: event.run.resumedAt };
        for (const text of describeRun(event.run)) line(text);
        return;
      case 'step':
        reportStep(event);
        return;
      case 'eval':
        // What an evaluation before the first step took says nothing of the steps.
        if (event.step === 0) session = { startedAt: target.now(), resumedAt: 0 };
        line(
          `eval at step ${event.step}: loss ${event.eval_loss.toFixed(4)}, perplexity ${formatPerplexity(event.eval_perplexity)} (${formatDuration(event.eval_runtime)})`,
        );
        return;
      case 'sample':
        line(`sample at step ${event.step}: ${event.prompt} → ${event.text}`);
        return;
      case 'verdict':
        // The last one is told at the end.
        verdict = event.verdict;
        return;
      case 'checkpoint':
        line(`checkpoint at step ${event.step}: ${event.dir}`);
        return;
      case 'warning':
        line(`warning: ${event.message}`);
        return;
      case 'stopped':
        line(
          `stopped after step ${event.step}; go on with --set training.resume_from_checkpoint=latest`,
        );
        return;
      case 'cancelled':
        line(
          `cancelled after step ${event.step}${event.checkpoint_dir === null ? '; no checkpoint was written' : ''}`,
        );
        return;
      case 'failed':
        // The command tells it when it ends.
        return;
      case 'completed':
        line(
          `done: ${event.steps} steps in ${formatDuration(event.train_runtime)}, mean loss ${event.train_loss.toFixed(4)}`,
        );
        line(`saved in ${event.adapter_dir}`);
        if (verdict !== null) for (const text of describeVerdict(verdict)) line(text);
        return;
      default:
        event satisfies never;
    }
  };
}

/** Characters of one entry, which may quote what a model wrote. */
const LINE_LIMIT = 2 ** 16;

/** Carriage return, then "erase to the end of the line" (ECMA-48). */
const CLEAR_LINE = '\r\u001B[K';

function describeRun(run: SessionFacts): readonly string[] {
  const { train, eval: held } = run.dataset;
  const share = ((100 * run.trainableParameters) / run.totalParameters).toPrecision(3);
  return [
    `device ${run.device}, ${formatCount(run.trainableParameters)} of ${formatCount(run.totalParameters)} parameters trained (${share} %)`,
    `training data: ${describeSplit(train)}`,
    ...(held === undefined ? [] : [`held-out data: ${describeSplit(held)}`]),
    `padding: ${describeInferred(train)}${describePadding(run.padding)}`,
    ...describeCompute(run),
    run.resumedAt === 0
      ? `${formatCount(run.steps)} steps, ${splitCount(train)(run.stepsPerEpoch)} per epoch`
      : `${formatCount(run.steps)} steps, resumed at step ${formatCount(run.resumedAt)}`,
  ];
}

function describeVerdict({ kind, message, advice }: Verdict): readonly string[] {
  const head =
    kind === 'overfitted' ? 'the run was better than it is now' : 'the run did not learn';
  return [`${head}: ${message}`, `what to try: ${advice}`];
}

function describeCompute({ compute, computeTrials }: SessionFacts): readonly string[] {
  if (computeTrials === undefined) {
    return compute === 'float32' ? [] : [`products with frozen weights in ${compute}`];
  }
  const trials = computeTrials.map(({ mode, error, seconds }) =>
    [
      mode,
      ...(mode === 'float32' ? [] : [`off by ${(100 * error).toPrecision(2)} %`]),
      ...(seconds === undefined ? [] : [`${seconds.toPrecision(3)} s a step`]),
    ].join(' '),
  );
  return [
    `products with frozen weights in ${compute}, the fastest of those whose gradients are off by at most ${100 * MAX_GRADIENT_ERROR} %: ${trials.join('; ')}`,
  ];
}

function describeSplit(split: SplitReport): string {
  const count = splitCount(split);
  const counts = `${count(split.rows)} rows, ${count(split.tokens)} tokens, ${count(split.supervisedTokens)} of them supervised`;
  const issues = `${count(split.truncatedRows)} rows truncated, ${count(split.droppedRows)} dropped`;
  return `${describeInferred(split)}${counts}; ${issues}${describeSets(split)}`;
}
