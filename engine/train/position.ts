import type { RunPlan } from '../plan/run-plan.ts';
import type { TrainerState } from './trainer-state.ts';

/** How a run goes through its data: in windows where they are streamed, otherwise in one. */
export interface Course {
  readonly plan: Pick<RunPlan, 'windows' | 'stepsPerEpoch'>;
  readonly isStreamed: boolean;
}

/** The window of the epoch that a run stands in, and the steps of it that are done. */
export function placeOf({ window, step_in_epoch: step }: TrainerState): {
  readonly window: number;
  readonly step: number;
} {
  return window === undefined ? { window: 0, step } : { window: window.index, step: window.step };
}

/** What a step was, for {@link afterStep}. */
export interface DoneStep {
  /** Mean per supervised token. */
  readonly loss: number;
  /** Padding excluded. */
  readonly tokens: number;
  /** Steps of the window that it is of. */
  readonly windowSteps: number;
}

/** Where a run stands after one more step. */
export function afterStep(
  state: TrainerState,
  { loss, tokens, windowSteps }: DoneStep,
  course: Course,
): TrainerState {
  const { window, step } = placeOf(state);
  const next = {
    ...state,
    global_step: state.global_step + 1,
    step_in_epoch: state.step_in_epoch + 1,
    num_tokens: state.num_tokens + tokens,
    total_loss: state.total_loss + loss,
    unreported_loss: state.unreported_loss + loss,
    unreported_steps: state.unreported_steps + 1,
  };
  if (step + 1 === windowSteps) return afterWindow(next, course);
  return course.isStreamed ? { ...next, window: { index: window, step: step + 1 } } : next;
}

/** Where a run stands after its window: at the next one, which may be the first of the next epoch. */
export function afterWindow(
  before: TrainerState,
  { plan: { windows }, isStreamed }: Course,
): TrainerState {
  const index = (placeOf(before).window + 1) % windows;
  const { window: _, ...state } = before;
  return {
    ...state,
    ...(isStreamed && { window: { index, step: 0 } }),
    ...(index === 0 && { epoch: state.epoch + 1, step_in_epoch: 0 }),
  };
}

/** Passes over the data that are done, fractional. @param windowSteps steps of the window, if known */
export function epochOf(
  state: TrainerState,
  windowSteps: number | undefined,
  { plan, isStreamed }: Course,
): number {
  const { epoch, step_in_epoch: step } = state;
  if (!isStreamed) return epoch + step / plan.stepsPerEpoch;
  const { window, step: done } = placeOf(state);
  return epoch + (window + done / (windowSteps ?? 1)) / plan.windows;
}
