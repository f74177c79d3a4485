import { setValue } from '../../../engine/config/path-problem.ts';
import type { ResolvedConfig } from '../../../engine/config/schema.ts';
import { type Finding, finding } from './finding.ts';

/** How long a run will be. */
export interface RunLength {
  readonly stepsPerEpoch: number;
  /** Optimizer steps of the whole run. */
  readonly steps: number;
  /** False where the rows were counted and not looked at, or are packed. */
  readonly isExact: boolean;
}

/**
 * Numbers of steps that lie beyond the end of the run.
 *
 * @param isGiven whether the configuration says so itself: a default is no mistake
 */
export function scheduleFindings(
  { training }: ResolvedConfig,
  { stepsPerEpoch, steps, isExact }: RunLength,
  isGiven: (key: string) => boolean,
): readonly Finding[] {
  const length = `the run, which has ${isExact ? '' : 'about '}${steps} steps`;
  const findings: Finding[] = [];
  const { eval_steps: evalSteps, save_steps: saveSteps, warmup_steps: warmupSteps } = training;
  if (evalSteps !== undefined && evalSteps > steps) {
    const path = ['training', 'eval_steps'];
    findings.push(
      finding(
        'warning',
        path,
        'plan.steps',
        `\`training.eval_steps\` (${evalSteps}) is larger than ${length}, so that it is only evaluated at its end`,
        [setValue(path, Math.min(stepsPerEpoch, steps)), { kind: 'remove', path }],
      ),
    );
  }
  if (isGiven('save_steps') && saveSteps > steps) {
    const path = ['training', 'save_steps'];
    findings.push(
      finding(
        'information',
        path,
        'plan.steps',
        `\`training.save_steps\` (${saveSteps}) is larger than ${length}, so that only its end is saved`,
        [setValue(path, Math.min(stepsPerEpoch, steps))],
      ),
    );
  }
  if (warmupSteps >= steps) {
    const path = ['training', 'warmup_steps'];
    findings.push(
      finding(
        'warning',
        path,
        'plan.steps',
        `\`training.warmup_steps\` (${warmupSteps}) is not smaller than ${length}, so that the learning rate never reaches its peak`,
        [setValue(path, Math.floor(steps / 10)), { kind: 'remove', path }],
      ),
    );
  }
  return findings;
}
