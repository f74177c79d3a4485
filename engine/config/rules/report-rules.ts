import { setValue } from '../path-problem.ts';
import { problem, type Rule } from './rule.ts';

/** Samples need prompts, and a base that stays as it is on disk. */
export const sampleRule: Rule = (given) => {
  const hasPrompts = given('training', 'sample_prompts') !== undefined;
  if (hasPrompts && given('training', 'method') === 'full') {
    return [
      problem(
        ['training', 'sample_prompts'],
        '`training.sample_prompts` are answered by the base with the adapter, and the method "full" has none; remove them',
      ),
    ];
  }
  if (hasPrompts || given('training', 'sample_steps') === undefined) return [];
  return [
    problem(
      ['training', 'sample_steps'],
      '`training.sample_steps` has no effect without `training.sample_prompts`; give prompts, or remove it',
    ),
  ];
};

/** Reports have a folder, which is for nothing else. */
export const reportRule: Rule = (given) => {
  const targets = given('training', 'report_to') ?? [];
  if (given('training', 'logging_dir') === undefined) return [];
  if (!Array.isArray(targets) || targets.length > 0) return [];
  const path = ['training', 'logging_dir'];
  return [
    problem(
      path,
      '`training.logging_dir` has no effect where `training.report_to` names no program; name one, or remove this',
      setValue(['training', 'report_to'], ['tensorboard']),
      { kind: 'remove', path },
    ),
  ];
};
