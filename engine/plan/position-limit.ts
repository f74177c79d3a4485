import type { DecoderConfig } from '../architectures/decoder-config.ts';
import { type PathProblem, setValue } from '../config/path-problem.ts';
import type { ResolvedConfig } from '../config/schema.ts';
import { LorafaError } from '../errors.ts';
import type { BaseModel } from '../models/base-model.ts';

/**
 * Rows that may be longer than a model has positions for, where those are learned. Where they are turned
 * in, a model reads on beyond its limit, if not well.
 */
export function positionProblem(
  { max_length: length }: ResolvedConfig['data'],
  { positionEmbedding }: DecoderConfig,
  modelName: string,
): PathProblem | undefined {
  if (positionEmbedding === null || length <= positionEmbedding.rows) return undefined;
  const path = ['data', 'max_length'];
  return {
    path,
    part: 'value',
    code: 'config.invalid_value',
    message: `\`data.max_length\` is ${length}, but ${modelName} has learned ${positionEmbedding.rows} positions and can read no further; use ${positionEmbedding.rows} at most`,
    remedies: [setValue(path, positionEmbedding.rows)],
  };
}

/** @throws LorafaError `config.invalid_value` for what {@link positionProblem} finds */
export function requirePositions(
  { data }: Pick<ResolvedConfig, 'data'>,
  { config, name }: Pick<BaseModel, 'config' | 'name'>,
): void {
  const problem = positionProblem(data, config, name);
  if (problem !== undefined) throw new LorafaError(problem.code, `${problem.message}.`);
}
