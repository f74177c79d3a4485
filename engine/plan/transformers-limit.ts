import path from 'node:path';
import { type PathProblem, type Remedy, setValue } from '../config/path-problem.ts';
import type { ResolvedConfig } from '../config/schema.ts';
import { LorafaError } from '../errors.ts';
import type { BaseModel } from '../models/base-model.ts';

/** Of a model what tells whether another backend can train it. */
type Model = Pick<BaseModel, 'path' | 'name' | 'config'>;

const BACKEND_KEY = ['engine', 'backend'];

const OTHER_BACKEND: Remedy = {
  kind: 'set',
  values: [{ path: BACKEND_KEY, value: 'onnxruntime' }],
  removes: [['accelerate']],
};

/** What `engine.backend` "accelerate" cannot train, since transformers or PEFT load it otherwise or not at all. */
export function transformersProblem(
  { engine, data }: Pick<ResolvedConfig, 'engine' | 'data'>,
  model: Model,
): PathProblem | undefined {
  if (engine.backend !== 'accelerate') return undefined;
  return kindProblem(model) ?? dynamicRopeProblem(data, model);
}

/** @throws LorafaError as {@link transformersProblem} says */
export function requireTransformers(config: ResolvedConfig, model: Model): void {
  const problem = transformersProblem(config, model);
  if (problem === undefined) return;
  throw new LorafaError(problem.code, `${problem.message}.`, { location: { file: model.path } });
}

function kindProblem({ path: place, name, config }: Model): PathProblem | undefined {
  const what =
    path.extname(place).toLowerCase() === '.gguf'
      ? 'a GGUF file'
      : config.isPart
        ? 'a model with other parts than its text'
        : config.layers.some(({ mlp }) => mlp.kind === 'experts')
          ? 'a mixture of experts'
          : undefined;
  if (what === undefined) return undefined;
  return {
    path: BACKEND_KEY,
    part: 'value',
    code: 'model.unsupported',
    message: `${name} is ${what}, which \`engine.backend\` "accelerate" does not train yet; use "onnxruntime"`,
    remedies: [OTHER_BACKEND],
  };
}

/** In transformers the angles of dynamic NTK depend on batches before, so that a run that goes on would be another one. */
function dynamicRopeProblem(
  { max_length: length }: ResolvedConfig['data'],
  { name, config }: Model,
): PathProblem | undefined {
  const scaling = config.layers[0]!.attention.rotary?.scaling;
  if (scaling?.type !== 'dynamic') return undefined;
  const limit = scaling.originalMaxPositionEmbeddings;
  if (length <= limit) return undefined;
  const key = ['data', 'max_length'];
  return {
    path: key,
    part: 'value',
    code: 'model.unsupported',
    message: `\`data.max_length\` is ${length}, and beyond ${limit} tokens transformers turns the positions of ${name} (dynamic NTK) by the batches before, so that no run could go on as it began; use ${limit} at most, or \`engine.backend\` "onnxruntime"`,
    remedies: [setValue(key, limit), OTHER_BACKEND],
  };
}
