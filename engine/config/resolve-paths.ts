import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { MAX_PROBLEMS, type PathProblem } from './path-problem.ts';
import type { ResolvedConfig } from './schema.ts';

/** A configuration whose paths are absolute, and the names among them that are not local. */
export interface PathResolution {
  readonly config: ResolvedConfig;
  readonly problems: readonly PathProblem[];
}

/**
 * Makes every path of a configuration absolute: relative ones start at `folder`, and `~/` is the
 * home folder. A data set keeps its slice suffix (`rows.jsonl[:1000]`). Names that look like one
 * on the Hugging Face Hub and exist nowhere here are reported, since nothing is downloaded.
 */
export function resolvePaths(config: ResolvedConfig, folder: string): PathResolution {
  const absolute = (name: string): string => resolvePath(name, folder);
  const { training } = config;
  const resolved: ResolvedConfig = {
    ...mapInputPaths(config, absolute),
    training: {
      ...training,
      output_dir: absolute(training.output_dir),
      ...(training.resume_from_checkpoint !== undefined && {
        resume_from_checkpoint:
          training.resume_from_checkpoint === 'latest'
            ? 'latest'
            : absolute(training.resume_from_checkpoint),
      }),
    },
  };
  return { config: resolved, problems: hubProblems(config, folder) };
}

/** A configuration with other names for what it reads: the model, the data and the first adapter. */
export function mapInputPaths(
  config: ResolvedConfig,
  map: (name: string) => string,
): ResolvedConfig {
  const { model, data, lora } = config;
  return {
    ...config,
    model: { ...model, base_model_name_or_path: map(model.base_model_name_or_path) },
    data: {
      ...data,
      dataset_name_or_path: mapNames(data.dataset_name_or_path, map),
      ...(data.eval_dataset_name_or_path !== undefined && {
        eval_dataset_name_or_path: mapNames(data.eval_dataset_name_or_path, map),
      }),
    },
    lora: {
      ...lora,
      ...(lora.init_adapter !== undefined && { init_adapter: map(lora.init_adapter) }),
    },
  };
}

/** One path of a configuration or a command line made absolute. */
export function resolvePath(name: string, folder: string): string {
  return /^~[/\\]/.test(name) ? path.join(homedir(), name.slice(2)) : path.resolve(folder, name);
}

/** Whether `name` is a Hub name (`organisation/name`) rather than a file or folder from `folder`. */
export function isHubName(name: string, folder: string): boolean {
  const isFile = /\.(jsonl?|csv|tsv|parquet|txt|gguf)(\[[^\]]*\])?$/i.test(name);
  return /^[\w-][\w.-]*\/[\w.-]+$/.test(name) && !isFile && !existsSync(resolvePath(name, folder));
}

function hubProblems(config: ResolvedConfig, folder: string): readonly PathProblem[] {
  const { base_model_name_or_path: model } = config.model;
  const { dataset_name_or_path: train, eval_dataset_name_or_path: held } = config.data;
  return [
    ...hubProblem(['model', 'base_model_name_or_path'], [model], folder, 'the folder of a model'),
    ...hubProblem(['data', 'dataset_name_or_path'], [train].flat(), folder, 'a data file'),
    ...hubProblem(
      ['data', 'eval_dataset_name_or_path'],
      [held ?? []].flat(),
      folder,
      'a data file',
    ),
  ];
}

function hubProblem(
  at: readonly [string, string],
  names: readonly string[],
  folder: string,
  instead: string,
): readonly PathProblem[] {
  return hubNames(names, folder).map((name) => ({
    path: at,
    part: 'value',
    code: 'usage.not_yet',
    message: `"${name}" is not here, and downloads from the Hugging Face Hub are not supported yet; give ${instead} on this machine`,
  }));
}

/** The first of the names that are on the Hub; each is looked for on the disk. */
function hubNames(names: readonly string[], folder: string): readonly string[] {
  const found: string[] = [];
  for (const name of names) {
    if (found.length === MAX_PROBLEMS) break;
    if (isHubName(name, folder)) found.push(name);
  }
  return found;
}

function mapNames(names: string | string[], map: (name: string) => string): string | string[] {
  return typeof names === 'string' ? map(names) : names.map(map);
}
