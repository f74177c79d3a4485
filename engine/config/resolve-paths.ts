import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { parseHubName } from '../hub/hub-name.ts';
import type { ResolvedConfig } from './schema.ts';

/**
 * Makes every path of a configuration absolute: relative ones start at `folder`, and `~/` is the
 * home folder. A data set keeps its slice suffix (`rows.jsonl[:1000]`). Names on the Hugging Face Hub
 * stay as they are (see {@link resolveInput}).
 */
export function resolvePaths(config: ResolvedConfig, folder: string): ResolvedConfig {
  const { training, accelerate } = config;
  const resolved = mapInputPaths(config, (name) => resolveInput(name, folder));
  const { output_dir: output, logging_dir: logging, resume_from_checkpoint: checkpoint } = training;
  return {
    ...resolved,
    data: {
      ...resolved.data,
      // Never a name on the Hub, however it looks.
      ...mapTemplate(config.data, (name) => resolvePath(name, folder)),
    },
    training: {
      ...training,
      output_dir: resolvePath(output, folder),
      ...(logging !== undefined && { logging_dir: resolvePath(logging, folder) }),
      ...(checkpoint !== undefined && {
        resume_from_checkpoint:
          checkpoint === 'latest' ? checkpoint : resolvePath(checkpoint, folder),
      }),
    },
    accelerate: {
      ...accelerate,
      ...(accelerate.python !== undefined && { python: resolveProgram(accelerate.python, folder) }),
      ...(accelerate.config_file !== undefined &&
        accelerate.config_file !== 'default' && {
          config_file: resolvePath(accelerate.config_file, folder),
        }),
    },
  };
}

/**
 * A configuration with other names for what it reads: the model, the data, the file of a chat template
 * and the first adapter.
 */
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
      ...mapTemplate(data, map),
      ...(data.eval_dataset_name_or_path !== undefined && {
        eval_dataset_name_or_path: mapNames(data.eval_dataset_name_or_path, map),
      }),
      ...(data.mix !== undefined && {
        mix: data.mix.map((set) => ({
          ...set,
          dataset_name_or_path: mapNames(set.dataset_name_or_path, map),
        })),
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
  return /^~(?:[/\\]|$)/.test(name)
    ? path.join(homedir(), name.slice(2))
    : path.resolve(folder, name);
}

/** The path of a program; a name alone is looked for in `PATH`, as a shell does. */
function resolveProgram(name: string, folder: string): string {
  return /[/\\]/.test(name) ? resolvePath(name, folder) : name;
}

/**
 * The path of an input, or its name on the Hugging Face Hub where it has the form of one and nothing
 * of that name lies here.
 */
export function resolveInput(name: string, folder: string): string {
  const place = resolvePath(name, folder);
  const isHubName = parseHubName(name) !== undefined && !existsSync(withoutSlice(place));
  return isHubName ? name : place;
}

/** Whether an input that {@link resolveInput} gave is a name on the Hub: paths are absolute. */
export function isHubInput(input: string): boolean {
  return parseHubName(input) !== undefined;
}

/** Whether `data.chat_template` names a file, rather than being a template itself. */
export function isTemplateFile(template: string): boolean {
  return /^[^{}\n]+\.jinja$/.test(template);
}

function mapTemplate(
  { chat_template: template }: ResolvedConfig['data'],
  map: (name: string) => string,
): Pick<ResolvedConfig['data'], 'chat_template'> {
  if (template === undefined) return {};
  return { chat_template: isTemplateFile(template) ? map(template) : template };
}

function withoutSlice(place: string): string {
  return place.replace(/\[[^[\]]*\]$/, '');
}

function mapNames(names: string | string[], map: (name: string) => string): string | string[] {
  return typeof names === 'string' ? map(names) : names.map(map);
}
