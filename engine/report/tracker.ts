import type { ResolvedConfig } from '../config/schema.ts';
import type { SampleEvent, TrainEvent } from '../train/events.ts';

/** A run as trackers know it, in all its sessions. */
export interface TrackedRun {
  readonly config: ResolvedConfig;
  /** 32 hexadecimal digits, which no other run has. */
  readonly id: string;
  /** For people; others may have it too. */
  readonly name: string;
  /** The first step that this session tells of; what earlier ones told of it and of later ones counts no more. */
  readonly firstStep: number;
}

/** Writes what happens in a run in the format of a program that shows runs. */
export interface Tracker {
  /** The name of that program. */
  readonly program: string;
  /**
   * Takes note of what happened; nothing is written yet.
   *
   * @param time milliseconds since 1970
   */
  note(event: TrainEvent, time: number): void;
  /**
   * Writes what was noted.
   *
   * @param isDurable whether it has to survive a power cut
   * @throws LorafaError `output.not_writable`; Node's own error for what cannot be read
   */
  write(isDurable: boolean): Promise<void>;
  close(): Promise<void>;
}

/** The name of the answers to a sample prompt: prompts are counted from 1. */
export function sampleName({ config }: TrackedRun, { prompt }: SampleEvent): string {
  return `samples/${(config.training.sample_prompts ?? []).indexOf(prompt) + 1}`;
}
