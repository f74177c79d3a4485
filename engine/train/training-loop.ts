import type { ResolvedConfig } from '../config/schema.ts';
import type { MicroBatch } from '../data/epoch-plan.ts';
import { LorafaError } from '../errors.ts';
import { evaluationBatches } from '../plan/evaluation-batches.ts';
import type { ProgressEvent } from '../plan/plan-reports.ts';
import type { RunData } from '../plan/run-data.ts';
import type { PlannedWindow, RunPlan } from '../plan/run-plan.ts';
import { isOutOfPatience, outOfPatience, patienceAfter } from './best-evaluation.ts';
import { saveCheckpoint } from './checkpoint.ts';
import { checkpointPath, pruneCheckpoints } from './checkpoint-folders.ts';
import type { TrainControl } from './control.ts';
import { evaluateExamples } from './evaluate.ts';
import type { CancelledEvent, TrainEvent } from './events.ts';
import { type Learning, learningAfter, NO_LEARNING } from './learning.ts';
import { plannedStep } from './planned-step.ts';
import { afterStep, afterWindow, type Course, epochOf, placeOf } from './position.ts';
import type { Sampler } from './prompt-sampler.ts';
import { RankRates } from './rank-rates.ts';
import { saveResult } from './save-result.ts';
import { Throughput } from './throughput.ts';
import type { TrainResult } from './train.ts';
import type { TrainerState } from './trainer-state.ts';
import type { TrainingBackend } from './training-backend.ts';
import { judgeLearning, type Verdict } from './verdict.ts';

/** Everything that a loop works with, ready for its first step. */
export interface TrainingLoopParts {
  readonly config: ResolvedConfig;
  readonly plan: RunPlan;
  readonly data: RunData;
  readonly backend: TrainingBackend;
  readonly control: TrainControl;
  readonly emit: (event: TrainEvent) => Promise<void>;
  /** Told of what takes long before the first step; the journal is not. */
  readonly onProgress: (event: ProgressEvent) => void;
  /** Called before files are written: throws once the run folder belongs to another run. */
  readonly verify: () => Promise<void>;
  readonly state: TrainerState;
  /** Folder of the checkpoint that the state is from; undefined at the start of a run. */
  readonly checkpoint: string | undefined;
  /** Sentences of those who compute, which are told once; more may come with any step. */
  readonly notices: ReadonlySet<string>;
  readonly padId: number;
  /** Answers prompts with the weights as they are; absent where nothing is to be answered. */
  readonly sampler: Sampler | undefined;
}

/** Optimizer steps with reports, evaluations and checkpoints between them. */
export class TrainingLoop {
  readonly #parts: TrainingLoopParts;
  #state: TrainerState;
  /** The newest checkpoint that this session wrote. */
  #written: string | null = null;
  /** What was told last. */
  #verdict: Verdict | null = null;
  readonly #throughput = new Throughput();
  readonly #rankRates = new RankRates();
  #noticesTold = 0;
  /** The best evaluation before the last one of this session; null for none. */
  #compared: Learning['best'] | undefined;
  /** The examples that are learned now, and their steps. */
  #window: PlannedWindow | undefined;

  constructor(parts: TrainingLoopParts) {
    this.#parts = parts;
    this.#state = parts.state;
  }

  /** Runs to the last step, or to a stop that was asked for. */
  async run(): Promise<TrainResult> {
    const { control, emit } = this.#parts;
    const started = performance.now();
    if (this.#state.global_step === 0) await this.#evaluateFirst();
    else await this.#evaluateIfDue();
    this.#throughput.start();
    while (!this.#isOver) {
      const { window, step: done } = placeOf(this.#state);
      this.#window = undefined;
      this.#window = await this.#load(this.#state.epoch, window);
      if (this.#window.steps.length === 0) await this.#passWindow();
      for (const step of this.#window.steps.slice(done)) {
        if (this.#isOver) break;
        await this.#step(step, this.#window);
        await this.#afterStep();
        // ONNX Runtime blocks the event loop; requests that came in meanwhile are heard here.
        await new Promise((resolve) => setImmediate(resolve));
        await this.#obey();
        if (control.stopRequested !== undefined && !this.#isOver) return this.#stopped();
      }
    }
    const steps = this.#state.global_step;
    const { output_dir: adapterDir } = this.#parts.config.training;
    if (steps < this.#parts.plan.maxSteps) await this.#tellEarlyStop();
    await this.#parts.verify();
    // The last session may have ended between its last checkpoint and this.
    await this.#prune();
    const best = this.#best?.step === steps ? undefined : this.#best;
    const { earlier, message } = await saveResult(this.#parts.backend.trainee, adapterDir, best);
    if (message !== undefined) await emit({ type: 'warning', message });
    await this.#judge(true, earlier.result_step === undefined ? undefined : best);
    await emit({
      type: 'completed',
      adapter_dir: adapterDir,
      steps,
      train_loss: this.#state.total_loss / steps,
      train_runtime: (performance.now() - started) / 1000,
      ...earlier,
    });
    return { status: 'completed', steps, adapterDir };
  }

  /** Whether no step is left, or none that would make the model better. */
  get #isOver(): boolean {
    const { global_step: step, early_stopping_patience_counter: counter = 0 } = this.#state;
    const { plan, config } = this.#parts;
    return step >= plan.maxSteps || isOutOfPatience(counter, config.training);
  }

  /** The best evaluation so far; undefined where it is not asked for. */
  get #best(): NonNullable<Learning['best']> | undefined {
    const isWanted = this.#parts.config.training.load_best_model_at_end;
    return isWanted ? (this.#state.learning?.best ?? undefined) : undefined;
  }

  /** What is to be said if the run is cancelled now. */
  get cancelled(): CancelledEvent {
    return {
      type: 'cancelled',
      step: this.#state.global_step,
      checkpoint_dir: this.#written,
    };
  }

  async release(): Promise<void> {
    const { backend, sampler } = this.#parts;
    await sampler?.release();
    await backend.release();
  }

  /** One optimizer step: the gradient of the mean loss over all its supervised tokens. */
  async #step(microBatches: readonly MicroBatch[], window: PlannedWindow): Promise<void> {
    const { backend, config, plan } = this.#parts;
    const { global_step: step } = this.#state;
    const planned = plannedStep(microBatches, window.examples, step, this.#parts);
    const { loss, gradientNorm: norm, ranks } = await backend.step(planned);
    if (!Number.isFinite(loss)) throw notFinite(step + 1, `a loss of ${loss}`);
    if (!Number.isFinite(norm)) throw notFinite(step + 1, `a gradient of the norm ${norm}`);
    const tokens = sum(planned.batches.map((batch) => batch.numTokens));
    this.#throughput.add(tokens);
    if (ranks !== undefined) this.#rankRates.add(ranks, tokens);
    const windowSteps = window.steps.length;
    this.#state = afterStep(this.#state, { loss, tokens, windowSteps }, this.#course);
    const done = this.#state.global_step;
    if (done % config.training.logging_steps !== 0 && done !== plan.maxSteps) return;
    const rate = this.#throughput.rate();
    await this.#report({
      type: 'step',
      step: done,
      maxSteps: plan.maxSteps,
      epoch: this.#epoch(),
      loss: this.#state.unreported_loss / this.#state.unreported_steps,
      grad_norm: norm,
      learning_rate: planned.learningRate,
      num_tokens: this.#state.num_tokens,
      tokens_per_second: rate,
      ...(ranks !== undefined && { ranks: this.#rankRates.report(ranks, rate) }),
    });
    this.#state = { ...this.#state, unreported_loss: 0, unreported_steps: 0 };
  }

  /**
   * A window of examples. What was learned until there is saved where it cannot be had: a run that
   * may leave more rows out can go on from there.
   */
  async #load(epoch: number, window: number): Promise<PlannedWindow> {
    const { plan, emit } = this.#parts;
    return this.#throughput.excluding(async () => {
      try {
        const planned = await plan.window(epoch, window);
        const { step } = placeOf(this.#state);
        const { length } = planned.steps;
        if (step >= Math.max(1, length)) throw unreachable(step, length);
        for (const message of planned.warnings) await emit({ type: 'warning', message });
        return planned;
      } catch (error) {
        if (this.#state.global_step > 0) await this.#save();
        throw error;
      }
    });
  }

  /** Tells how the run goes, and what that says of it if it is something else than before. */
  async #report(event: TrainEvent): Promise<void> {
    const { learning = NO_LEARNING } = this.#state;
    this.#state = { ...this.#state, learning: learningAfter(learning, event) };
    await this.#parts.emit(event);
    await this.#judge(false);
  }

  /** @param result the evaluation of the result, where that is not the latest one */
  async #judge(isOver: boolean, result?: Learning['last']): Promise<void> {
    const { learning: course = NO_LEARNING, global_step: step } = this.#state;
    const learning = result === undefined ? course : { ...course, last: result };
    const verdict = judgeLearning(learning, this.#parts.config.training, isOver);
    const isKnown = verdict?.kind === this.#verdict?.kind && (!isOver || verdict === null);
    this.#verdict = verdict;
    if (!isKnown) await this.#parts.emit({ type: 'verdict', step, verdict });
  }

  /** Goes past a window of rows of which nothing is learned. */
  async #passWindow(): Promise<void> {
    this.#state = afterWindow(this.#state, this.#course);
    const { config, data } = this.#parts;
    const isEpochDone = placeOf(this.#state).window === 0;
    const isDue = isEpochDone && config.training.eval_steps === undefined;
    if (isDue && data.evaluation.length > 0) await this.#evaluate();
  }

  /** Evaluates and saves where the schedule, the end of the run or a request says so. */
  async #afterStep(): Promise<void> {
    const { save_steps: saveSteps, sample_steps: sampleSteps } = this.#parts.config.training;
    const { global_step: step } = this.#state;
    await this.#tellNotices();
    await this.#evaluateIfDue();
    const last = this.#isOver;
    if (step % saveSteps === 0 || last) await this.#save();
    if (step % (sampleSteps ?? saveSteps) === 0 || last) await this.#sample();
  }

  async #tellNotices(): Promise<void> {
    const { notices, emit } = this.#parts;
    for (const message of [...notices].slice(this.#noticesTold)) {
      this.#noticesTold++;
      await emit({ type: 'warning', message });
    }
  }

  /** Evaluates where the schedule says so, unless that was done before a stop, and saves the best. */
  async #evaluateIfDue(): Promise<void> {
    const { config, plan, data } = this.#parts;
    const { eval_steps: evalSteps } = config.training;
    const { global_step: step, step_in_epoch: stepInEpoch, learning } = this.#state;
    const isScheduled = evalSteps === undefined ? stepInEpoch === 0 : step % evalSteps === 0;
    const isDue = isScheduled || step === plan.maxSteps;
    if (!isDue || data.evaluation.length === 0 || learning?.last?.step === step) return;
    await this.#evaluate();
    if (this.#best?.step === step) await this.#save();
  }

  async #sample(): Promise<void> {
    const { sampler, emit, control } = this.#parts;
    if (sampler === undefined) return;
    await this.#throughput.excluding(async () => {
      for await (const answer of sampler.answers(control.signal)) {
        await emit({ type: 'sample', step: this.#state.global_step, ...answer });
      }
    });
  }

  /** Does what was asked for between steps; while paused, waits for more. */
  async #obey(): Promise<void> {
    const { control } = this.#parts;
    do {
      await this.#throughput.excluding(() => control.untilWoken());
      if (control.takeCheckpointRequest()) await this.#save();
    } while (control.paused && control.stopRequested === undefined);
  }

  async #stopped(): Promise<TrainResult> {
    const { control, emit } = this.#parts;
    const { global_step: step } = this.#state;
    if (control.stopRequested === 'cancel') {
      await emit(this.cancelled);
      return { status: 'cancelled', steps: step };
    }
    await emit({ type: 'stopped', step, checkpoint_dir: await this.#save() });
    return { status: 'stopped', steps: step };
  }

  /** How good the model is that the run begins with. */
  async #evaluateFirst(): Promise<void> {
    const { config, data, onProgress } = this.#parts;
    if (!config.training.eval_on_start || data.evaluation.length === 0) return;
    await this.#evaluate((done, total) =>
      onProgress({ type: 'progress', task: 'evaluating before the first step', done, total }),
    );
  }

  async #tellEarlyStop(): Promise<void> {
    const { config, plan, emit } = this.#parts;
    const reason = outOfPatience(config.training, this.#compared);
    await emit({
      type: 'warning',
      message: `The run ends at step ${this.#state.global_step} of ${plan.maxSteps}: ${reason}.`,
    });
  }

  /** Evaluates, and saves what is the best so far where the best is wanted. */
  async #evaluate(onBatch?: (done: number, total: number) => void): Promise<void> {
    const { config, data, backend, padId, control } = this.#parts;
    const { signal } = control;
    await this.#fetchFinite();
    await this.#throughput.excluding(async () => {
      try {
        const { eval_loss, eval_perplexity, eval_runtime } = await evaluateExamples(
          (batches) => backend.lossOf(batches),
          data.evaluation,
          {
            ...evaluationBatches(config),
            padId,
            signal,
            batchesAtOnce: backend.batchesAtOnce,
            ...(onBatch && { onBatch }),
          },
        );
        this.#countPatience(eval_loss);
        await this.#report({
          type: 'eval',
          step: this.#state.global_step,
          epoch: this.#epoch(),
          eval_loss,
          eval_perplexity,
          eval_runtime,
        });
      } catch (error) {
        // Half of an evaluation says nothing.
        if (error !== signal.reason) throw error;
      }
    });
    if (this.#best?.step === this.#state.global_step) await this.#save();
  }

  /** Counts an evaluation that is about to be told. */
  #countPatience(loss: number): void {
    const {
      global_step: step,
      learning = NO_LEARNING,
      early_stopping_patience_counter: counter = 0,
    } = this.#state;
    if (step === 0) return;
    this.#compared = learning.best;
    this.#state = {
      ...this.#state,
      early_stopping_patience_counter: patienceAfter(
        counter,
        learning,
        loss,
        this.#parts.config.training,
      ),
    };
  }

  /** Writes a checkpoint, unless this very state is on disk already, and returns its folder. */
  async #save(): Promise<string> {
    const { config, backend, emit, verify, checkpoint, state } = this.#parts;
    const { output_dir: folder } = config.training;
    const { global_step: step } = this.#state;
    const dir = checkpointPath(folder, step);
    // The checkpoint that was resumed may have the name of a later step.
    const isResumed = dir === checkpoint && step === state.global_step;
    if (dir === this.#written || isResumed) return dir;
    await this.#fetchFinite();
    await this.#throughput.excluding(async () => {
      await saveCheckpoint(folder, backend, this.#state, verify);
      this.#written = dir;
      await emit({ type: 'checkpoint', step, dir });
      await this.#prune();
    });
    return dir;
  }

  /** Leaves as many checkpoints as are wanted, that of the present step and the best one among them. */
  async #prune(): Promise<void> {
    const { output_dir: folder, save_total_limit: limit } = this.#parts.config.training;
    const { global_step: step, lineage } = this.#state;
    const steps = [step, ...(this.#best === undefined ? [] : [this.#best.step])];
    const kept = new Set(steps.map((kept) => checkpointPath(folder, kept)));
    await pruneCheckpoints(folder, limit, kept, lineage);
  }

  /**
   * Brings what was learned here. A step whose update overflowed shows only in the next loss; nothing may be
   * made of it before.
   */
  async #fetchFinite(): Promise<void> {
    const { backend } = this.#parts;
    await backend.fetch();
    const { trainable, tensors } = backend.trainee;
    for (const { name } of trainable) {
      const broken = tensors
        .get(name)!
        .read()
        .find((weight) => !Number.isFinite(weight));
      if (broken !== undefined) throw notFinite(this.#state.global_step, `a weight of ${broken}`);
    }
  }

  get #course(): Course {
    return { plan: this.#parts.plan, isStreamed: this.#parts.data.stream !== undefined };
  }

  #epoch(): number {
    return epochOf(this.#state, this.#window?.steps.length, this.#course);
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

/** What a checkpoint says of where it stands cannot be believed. */
function unreachable(step: number, steps: number): LorafaError {
  return new LorafaError(
    'checkpoint.corrupt',
    `The checkpoint stands after step ${step} of a window of ${steps} steps; resume from another checkpoint.`,
  );
}

function notFinite(step: number, what: string): LorafaError {
  return new LorafaError(
    'training.not_finite',
    `Step ${step} gave ${what}; start anew with a lower training.learning_rate, from the last checkpoint if there is one.`,
  );
}
