import type { SessionFacts } from '../../engine/train/events.ts';
import { train } from '../../engine/train/train.ts';
import { ownPeakRss, ownPss } from './process-memory.ts';
import { type RunPaths, runConfig, type Settings } from './run-config.ts';

/** What a process that measures one run is asked for, as JSON in its first argument. */
export interface RunRequest extends RunPaths {
  readonly settings: Settings;
}

/** What a process that measured one run prints last, as one line of JSON. */
export interface RunMeasurement {
  /** Milliseconds of every step from its first batch to its report, optimizer included. */
  readonly stepMs: readonly number[];
  readonly losses: readonly number[];
  /** The most bytes resident up to the end of each step. */
  readonly peakRss: readonly number[];
  /**
   * Proportional set size at the end of each step, which falls as well, other than the peak. Empty
   * where the system does not tell.
   */
  readonly pss: readonly number[];
  /** Tokens of each step, padding excluded. */
  readonly tokens: readonly number[];
  /** In what the products with frozen weights were computed; only of this engine. */
  readonly compute?: SessionFacts['compute'];
  /** What `engine.compute: "auto"` measured. */
  readonly computeTrials?: NonNullable<SessionFacts['computeTrials']>;
}

/**
 * Trains as `lorafa train` does and measures its steps. Memory is read before the run saves its
 * result, which is no part of a step.
 */
export async function measureRun({ settings, ...paths }: RunRequest): Promise<RunMeasurement> {
  const [stepMs, losses, tokens]: [number[], number[], number[]] = [[], [], []];
  const [peakRss, pss]: [number[], number[]] = [[], []];
  let started: Partial<SessionFacts> = {};
  let tokensBefore = 0;
  let began = 0;
  await train(runConfig(settings, paths), {
    onEvent: (event) => {
      if (event.type === 'started') {
        started = event.run;
        began = performance.now();
      }
      if (event.type !== 'step') return;
      stepMs.push(performance.now() - began);
      losses.push(event.loss);
      peakRss.push(ownPeakRss());
      tokens.push(event.num_tokens - tokensBefore);
      tokensBefore = event.num_tokens;
      pss.push(...[ownPss()].filter((bytes) => bytes !== undefined));
      began = performance.now();
    },
  });
  const { compute, computeTrials } = started;
  return {
    stepMs,
    losses,
    tokens,
    peakRss,
    pss,
    ...(compute !== undefined && { compute }),
    ...(computeTrials !== undefined && { computeTrials }),
  };
}
