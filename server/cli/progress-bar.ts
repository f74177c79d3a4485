import type { StepEvent } from '../../engine/train/events.ts';
import { formatCount, formatDuration } from '../format.ts';

/** How far a session is: what an ETA may be computed from. */
export interface SessionProgress {
  /** Steps that this session has done; those before a resume say nothing about its speed. */
  readonly steps: number;
  readonly seconds: number;
  readonly stepsLeft: number;
}

/** Seconds to the end at the rate of this session, or undefined before its first step. */
export function secondsLeft({ steps, seconds, stepsLeft }: SessionProgress): number | undefined {
  return steps > 0 ? (seconds / steps) * stepsLeft : undefined;
}

/** One step as a line of text, for logs. */
export function renderStepLine(event: StepEvent, eta: number | undefined): string {
  return [
    `step ${event.step}/${event.maxSteps}`,
    `epoch ${event.epoch.toFixed(2)}`,
    `loss ${event.loss.toFixed(4)}`,
    `grad norm ${event.grad_norm.toPrecision(3)}`,
    `lr ${event.learning_rate.toExponential(2)}`,
    `${formatCount(event.tokens_per_second)} tokens/s`,
    ...etaPart(eta),
  ].join('  ');
}

/**
 * One step as a progress bar that fits into `columns` characters: the bar shrinks first, and where
 * not even the numbers fit, they are cut.
 */
export function renderProgressBar(
  event: StepEvent,
  eta: number | undefined,
  columns: number,
): string {
  const numbers = [
    `${event.step}/${event.maxSteps}`,
    `epoch ${event.epoch.toFixed(2)}`,
    `loss ${event.loss.toFixed(4)}`,
    `${formatCount(event.tokens_per_second)} tokens/s`,
    ...etaPart(eta),
  ].join('  ');
  return renderTaskBar(event.step / event.maxSteps, numbers, columns);
}

/** A bar for a share from 0 to 1 with a text behind it. */
export function renderTaskBar(share: number, text: string, columns: number): string {
  const done = Math.min(1, Math.max(0, share));
  const percent = `${String(Math.floor(done * 100)).padStart(3)}%`;
  // One column stays free: a full line makes some terminals wrap.
  const room = columns - 1 - percent.length - text.length - 4;
  const width = Math.min(MAX_BAR, room);
  if (width < MIN_BAR) return `${percent}  ${text}`.slice(0, Math.max(0, columns - 1));
  const filled = Math.round(done * width);
  return `${percent} ▕${'█'.repeat(filled)}${' '.repeat(width - filled)}▏ ${text}`;
}

const MAX_BAR = 30;
const MIN_BAR = 5;

function etaPart(eta: number | undefined): readonly string[] {
  return eta === undefined ? [] : [`ETA ${formatDuration(eta)}`];
}
