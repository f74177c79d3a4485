import { type PathProblem, type Remedy, setValue } from '../path-problem.ts';
import { problem, type Rule } from './rule.ts';

/** What the best evaluation decides. */
const BEST_KEYS = [
  'load_best_model_at_end',
  'metric_for_best_model',
  'early_stopping_patience',
  'early_stopping_threshold',
];

/** How evaluations are judged matters where that decides something. */
export const bestRule: Rule = (given) => {
  const stopsEarly = given('training', 'early_stopping_patience') !== undefined;
  const loadsBest = given('training', 'load_best_model_at_end') === true;
  const idle = (key: string, needs: string, ...remedies: readonly Remedy[]): PathProblem => {
    const path = ['training', key];
    const message = `\`training.${key}\` has no effect without ${needs}; give it, or remove this`;
    return problem(path, message, ...remedies, { kind: 'remove', path });
  };
  const setPatience = setValue(['training', 'early_stopping_patience'], 3);
  const patience = '`training.early_stopping_patience`';
  return [
    ...(given('training', 'early_stopping_threshold') !== undefined && !stopsEarly
      ? [idle('early_stopping_threshold', patience, setPatience)]
      : []),
    ...(given('training', 'metric_for_best_model') !== undefined && !stopsEarly && !loadsBest
      ? [
          idle(
            'metric_for_best_model',
            `\`training.load_best_model_at_end\` or ${patience}`,
            setValue(['training', 'load_best_model_at_end'], true),
          ),
        ]
      : []),
  ];
};

/** Held-out rows come from one place, and what only evaluation uses needs them. */
export const evaluationRule: Rule = (given) => {
  const hasFile = given('data', 'eval_dataset_name_or_path') !== undefined;
  const hasSplit = given('data', 'eval_split') !== undefined;
  if (hasFile && hasSplit) {
    return [
      problem(
        ['data', 'eval_split'],
        '`data.eval_split` and `data.eval_dataset_name_or_path` both name the held-out rows; keep one of the two',
      ),
    ];
  }
  if (hasFile || hasSplit) return [];
  return [...BEST_KEYS, 'eval_steps', 'eval_on_start', 'per_device_eval_batch_size']
    .filter((key) => given('training', key) !== undefined)
    .map((key) =>
      problem(
        ['training', key],
        `\`training.${key}\` has no effect without held-out rows; give \`data.eval_split\` or \`data.eval_dataset_name_or_path\`, or remove it`,
      ),
    );
};
