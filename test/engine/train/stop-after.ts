import type { ResolvedConfig } from '../../../engine/config/schema.ts';
import { TrainControl } from '../../../engine/train/control.ts';
import { type FinishedRun, run } from './tiny-run.ts';

/** Runs until a step and stops there, as a person would. */
export function stopAfter(step: number, config: ResolvedConfig): Promise<FinishedRun> {
  const control = new TrainControl();
  return run(config, {
    control,
    onEvent: (event) => {
      if (event.type === 'step' && event.step >= step) control.stop();
    },
  });
}
