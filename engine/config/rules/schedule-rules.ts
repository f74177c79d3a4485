import { member } from '../given.ts';
import { type PathProblem, type Remedy, setValue } from '../path-problem.ts';
import { problem, type Rule } from './rule.ts';

/** A run has one length. */
export const lengthRule: Rule = (given) => {
  const keys = ['num_train_epochs', 'max_steps'];
  if (keys.some((key) => given('training', key) === undefined)) return [];
  const paths = keys.map((key) => ['training', key]);
  return [
    problem(
      paths[0]!,
      '`training.num_train_epochs` and `training.max_steps` both set the length of the run; keep one of the two',
      ...paths.map((path): Remedy => ({ kind: 'remove', path })),
    ),
  ];
};

/** Warm-up has one length, and every schedule gets the settings that it uses. */
export const scheduleRule: Rule = (given) => {
  const problems: PathProblem[] = [];
  const type = given('training', 'lr_scheduler_type') ?? 'cosine';
  const warmUps = ['warmup_steps', 'warmup_ratio'].filter((key) =>
    isPositive(given('training', key)),
  );
  if (warmUps.length === 2) {
    problems.push(
      problem(
        ['training', 'warmup_ratio'],
        '`training.warmup_steps` and `training.warmup_ratio` both set the length of the warm-up; keep one of the two',
      ),
    );
  }
  if (type === 'constant') {
    for (const key of warmUps) {
      problems.push(
        problem(
          ['training', key],
          `\`training.${key}\` has no effect with the schedule "constant"; use "constant_with_warmup" or remove it`,
        ),
      );
    }
  }
  return [...problems, ...schedulerKwargsProblems(type, given('training', 'lr_scheduler_kwargs'))];
};

function schedulerKwargsProblems(type: unknown, kwargs: unknown): readonly PathProblem[] {
  const path = ['training', 'lr_scheduler_kwargs'];
  if (type !== 'cosine_with_min_lr') {
    return kwargs === undefined
      ? []
      : [
          problem(
            path,
            '`training.lr_scheduler_kwargs` has an effect only with the schedule "cosine_with_min_lr"; remove it or choose that schedule',
          ),
        ];
  }
  const count = ['min_lr', 'min_lr_rate'].filter((key) => member(kwargs, key) !== undefined).length;
  if (count === 1) return [];
  return [
    problem(
      kwargs === undefined ? ['training', 'lr_scheduler_type'] : path,
      'the schedule "cosine_with_min_lr" needs exactly one of `min_lr` and `min_lr_rate` in `training.lr_scheduler_kwargs`',
      setValue(path, { min_lr_rate: 0.1 }),
    ),
  ];
}

function isPositive(value: unknown): boolean {
  return typeof value === 'number' && value > 0;
}
