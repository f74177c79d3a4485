import type { DecoderConfig } from '../architectures/decoder-config.ts';
import { linearModules } from '../architectures/linear-modules.ts';
import { type ConfigPath, formatPath } from '../config/config-error.ts';
import { nearestName } from '../config/nearest-name.ts';
import { type PathProblem, type Remedy, setValue } from '../config/path-problem.ts';
import { LorafaError } from '../errors.ts';
import { expertProblems } from './expert-targets.ts';
import type { LoraConfig } from './lora-config.ts';
import type { LoraModule } from './lora-module.ts';
import { type Entry, quoteAll } from './name-patterns.ts';
import { entriesOf, isAllLinear, type Selection, selectModules } from './select-modules.ts';

/**
 * Finds the layers that section `lora` of a configuration adapts, as {@link selectModules} does,
 * and makes sure that every part of the section has an effect.
 *
 * @param modelName Name of the base model, for messages.
 * @throws LorafaError `adapter.no_target` when no layer is adapted, when a name, a pattern key or a
 * layer number has no effect, and when an embedding or the output layer is asked for;
 * `adapter.rank_too_large`; `adapter.unsupported` for experts that PEFT would not load as they are;
 * `config.invalid_value` for an invalid regular expression.
 */
export function resolveTargets(
  config: LoraConfig,
  decoder: DecoderConfig,
  modelName: string,
): LoraModule[] {
  const { modules, problems } = examineTargets(config, decoder, modelName);
  const [first] = problems;
  if (first !== undefined) throw errorOf(first);
  return [...modules];
}

/** The adapted layers, and every part of section `lora` that does not fit the model. */
export interface ExaminedTargets {
  readonly modules: readonly LoraModule[];
  /** Paths are whole (`lora.target_modules.0`); in the order of the checks. */
  readonly problems: readonly PathProblem[];
}

/** Like {@link resolveTargets}, for those who want to know everything that is wrong. */
export function examineTargets(
  config: LoraConfig,
  decoder: DecoderConfig,
  modelName: string,
): ExaminedTargets {
  try {
    const selection = selectModules(config, decoder, invalidExpression);
    const { modules } = selection;
    const untargeted = selection.targets.flatMap(({ text, matches }, index) =>
      matches.size > 0 ? [] : [noTarget(text, index, config, decoder, modelName)],
    );
    const problems = [
      ...unadaptable(config, decoder, modelName),
      ...missingLayers(config, decoder, modelName),
      ...untargeted,
      // What follows from a wrong target is no mistake of its own.
      ...(untargeted.length > 0
        ? []
        : [
            ...ineffectiveExclusions(selection, config),
            ...ineffectiveKeys('rank_pattern', selection.ranks),
            ...ineffectiveKeys('alpha_pattern', selection.alphas),
          ]),
      ...excessiveRanks(modules, selection.ranks),
      ...expertProblems(config, decoder, modules),
    ];
    // An embedding is no linear layer either; that is said once.
    return { modules, problems: problems.filter(isFirstAtItsPath) };
  } catch (error) {
    if (error instanceof InvalidExpression) return { modules: [], problems: [error.problem] };
    throw error;
  }
}

/**
 * Makes sure that no rank exceeds what its layer can hold: a product `B A` of a larger one has no
 * more degrees of freedom, and `A Aᵀ` is singular.
 *
 * @throws LorafaError `adapter.rank_too_large`.
 */
export function checkRanks(modules: readonly LoraModule[]): void {
  const [first] = excessiveRanks(modules, []);
  if (first !== undefined) throw errorOf(first);
}

/** What `selectModules` throws here, with the field that it is about. */
class InvalidExpression extends LorafaError {
  readonly problem: PathProblem;

  constructor(problem: PathProblem) {
    super(problem.code, `${problem.message}.`);
    this.problem = problem;
  }
}

function invalidExpression(field: string, problem: string): LorafaError {
  return new InvalidExpression({
    ...targetProblem([field], problem),
    code: 'config.invalid_value',
  });
}

function errorOf({ code, message }: PathProblem): LorafaError {
  return new LorafaError(code, `${message.charAt(0).toUpperCase()}${message.slice(1)}.`);
}

function isFirstAtItsPath(
  { path }: PathProblem,
  index: number,
  all: readonly PathProblem[],
): boolean {
  return all.findIndex((other) => formatPath(other.path) === formatPath(path)) === index;
}

/** A problem of a field of section `lora`; `problem` goes on "`lora.FIELD` …". */
function targetProblem(
  [field, ...inside]: readonly [string, ...ConfigPath],
  problem: string,
  remedies: readonly Remedy[] = [],
): PathProblem {
  return {
    path: ['lora', field, ...inside],
    part: 'value',
    code: 'adapter.no_target',
    message: `\`lora.${field}\` ${problem}`,
    remedies,
  };
}

/** The path inside a field of one of its entries: a list has places, a string stands alone. */
function entryPath(
  field: 'target_modules' | 'exclude_modules',
  value: LoraConfig['exclude_modules'],
  index: number,
): [string, ...ConfigPath] {
  return typeof value === 'string' ? [field] : [field, index];
}

/** The remedy that takes an entry out of its list, where something remains. */
function removeEntry(
  [field, index]: readonly [string, ...ConfigPath],
  value: LoraConfig['exclude_modules'],
): readonly Remedy[] {
  const isLast = index === undefined || (value?.length ?? 0) < 2;
  if (isLast) return field === 'exclude_modules' ? [{ kind: 'remove', path: ['lora', field] }] : [];
  return [{ kind: 'remove', path: ['lora', field, index] }];
}

function excessiveRanks(
  modules: readonly LoraModule[],
  patterns: readonly Entry[],
): readonly PathProblem[] {
  const limitOf = ({ inFeatures, outFeatures }: LoraModule) => Math.min(inFeatures, outFeatures);
  const excessive = modules.filter((module) => module.r > limitOf(module));
  return excessive.map((module) => {
    const { name, r, inFeatures, outFeatures } = module;
    const pattern = patterns.find(({ matches }) => matches.has(name))?.text;
    const path = pattern === undefined ? ['lora', 'r'] : ['lora', 'rank_pattern', pattern];
    const largest = Math.min(...excessive.filter((each) => each.r === r).map(limitOf));
    return {
      path,
      part: 'value',
      code: 'adapter.rank_too_large',
      message: `rank ${r} is too large for layer ${name}, which is ${inFeatures} wide at its input and ${outFeatures} at its output; use a rank of at most ${largest} (\`lora.r\`, or \`lora.rank_pattern\` for this layer alone)`,
      remedies: [setValue(path, largest)],
    };
  });
}

/** Names of the embedding or the output layer, which PEFT can adapt and this engine cannot. */
function unadaptable(
  { target_modules: target }: LoraConfig,
  { embedding, outputName }: DecoderConfig,
  modelName: string,
): readonly PathProblem[] {
  if (isAllLinear(target)) return [];
  return entriesOf(
    target,
    [embedding.name, outputName],
    'target_modules',
    invalidExpression,
  ).flatMap(({ text, matches }, index) => {
    const [name] = matches;
    if (name === undefined) return [];
    const path = entryPath('target_modules', target, index);
    return [
      targetProblem(
        path,
        `asks for ${name} of ${modelName} with "${text}", but only linear layers inside the decoder can be adapted; remove it, or use "all-linear"`,
        [...removeEntry(path, target), setValue(['lora', 'target_modules'], 'all-linear')],
      ),
    ];
  });
}

function missingLayers(
  { layers_to_transform: layers = [] }: LoraConfig,
  { layers: { length: numLayers } }: DecoderConfig,
  modelName: string,
): readonly PathProblem[] {
  const missing = [layers].flat().find((layer) => layer >= numLayers);
  if (missing === undefined) return [];
  const path = ['lora', 'layers_to_transform'];
  const existing = [layers].flat().filter((layer) => layer < numLayers);
  const remedy: Remedy =
    existing.length === 0 ? { kind: 'remove', path } : setValue(path, existing);
  return [
    targetProblem(
      ['layers_to_transform'],
      `names layer ${missing}, but ${modelName} has the layers 0 to ${numLayers - 1}`,
      [remedy],
    ),
  ];
}

/** An entry of `target_modules` that matches no layer: what there is, what was meant. */
function noTarget(
  text: string,
  index: number,
  { target_modules: target, layers_to_transform: layers }: LoraConfig,
  decoder: DecoderConfig,
  modelName: string,
): PathProblem {
  const names = linearModules(decoder).map(({ name }) => name);
  const kinds = [...new Set(names.map((name) => name.slice(name.lastIndexOf('.') + 1)))];
  const narrowed = layers === undefined ? '' : ' within `lora.layers_to_transform`';
  const isExpression = typeof target === 'string';
  const problem = isExpression
    ? `is the regular expression "${text}", which matches the full name of no linear layer of ${modelName}${narrowed}`
    : `names "${text}", which no linear layer of ${modelName} is called${narrowed}`;
  const path = entryPath('target_modules', target, index);
  const meant = nearestModule(text, names);
  const remedies = [
    ...(meant === undefined || (meant === text && !isExpression)
      ? []
      : [setValue(['lora', ...path], isExpression ? [meant] : meant)]),
    ...removeEntry(path, target),
    setValue(['lora', 'target_modules'], 'all-linear'),
  ];
  return targetProblem(
    path,
    `${problem}; ${suggestion(text, isExpression, meant)}there are ${kinds.join(', ')}, each in ${decoder.layers[0]!.name} to ${decoder.layers.at(-1)!.name}`,
    remedies,
  );
}

/** The name that was probably meant: the name itself where there is one. */
function nearestModule(text: string, names: readonly string[]): string | undefined {
  const known = [...new Set(names.flatMap(namesFor))];
  return known.includes(text) ? text : nearestName(text, known);
}

/** What was probably meant, in words, or nothing. */
function suggestion(text: string, isExpression: boolean, meant: string | undefined): string {
  if (meant === text) return isExpression ? `write it as a list, ["${text}"]; ` : '';
  return meant === undefined ? '' : `did you mean "${meant}"? `;
}

/** The names in a list that mean a layer: the full name and what follows each dot in it. */
function namesFor(fullName: string): string[] {
  const parts = fullName.split('.');
  return parts.map((_, index) => parts.slice(index).join('.'));
}

function ineffectiveExclusions(
  { targets, excludes, modules }: Selection,
  { exclude_modules: excluded }: LoraConfig,
): readonly PathProblem[] {
  const targeted = new Set(targets.flatMap(({ matches }) => [...matches]));
  const idle = excludes.flatMap(({ text, matches }, index) => {
    if ([...matches].some((name) => targeted.has(name))) return [];
    const path = entryPath('exclude_modules', excluded, index);
    return [
      targetProblem(
        path,
        `excludes "${text}", which is none of the layers that \`lora.target_modules\` chooses; correct or remove it (a string is a regular expression for the full name, a list holds names)`,
        removeEntry(path, excluded),
      ),
    ];
  });
  if (idle.length > 0 || modules.length > 0) return idle;
  return [
    targetProblem(
      ['exclude_modules'],
      `excludes all that \`lora.target_modules\` chooses (${quoteAll([...targeted])}), so that nothing would be trained`,
      [{ kind: 'remove', path: ['lora', 'exclude_modules'] }],
    ),
  ];
}

function ineffectiveKeys(
  field: 'rank_pattern' | 'alpha_pattern',
  keys: readonly Entry[],
): readonly PathProblem[] {
  return keys
    .filter(({ matches }) => matches.size === 0)
    .map(({ text }) => ({
      ...targetProblem(
        [field, text],
        `has the key "${text}", which has no effect: it matches none of the adapted layers, or keys before it match them all (the first that matches decides); correct it, move it up or remove it`,
        [{ kind: 'remove', path: ['lora', field, text] }],
      ),
      part: 'key',
    }));
}
