import { nearestName } from '../config/nearest-name.ts';
import { type ErrorCode, LorafaError } from '../errors.ts';
import type { DecoderConfig } from '../models/decoder-config.ts';
import { linearModules } from '../models/linear-modules.ts';
import type { LoraConfig } from './lora-config.ts';
import type { LoraModule } from './lora-module.ts';
import { type Entry, quoteAll } from './name-patterns.ts';
import { entriesOf, isAllLinear, type Selection, selectModules } from './select-modules.ts';

/** Layers that PEFT can adapt and this engine cannot. */
const UNADAPTABLE = ['model.embed_tokens', 'lm_head'];

/**
 * Finds the layers that section `lora` of a configuration adapts, as {@link selectModules} does,
 * and makes sure that every part of the section has an effect.
 *
 * @param modelName Name of the base model, for messages.
 * @throws LorafaError `adapter.no_target` when no layer is adapted, when a name, a pattern key or a
 * layer number has no effect, and when an embedding or the output layer is asked for;
 * `adapter.rank_too_large`; `config.invalid_value` for an invalid regular expression.
 */
export function resolveTargets(
  config: LoraConfig,
  decoder: DecoderConfig,
  modelName: string,
): LoraModule[] {
  refuseUnadaptable(config, modelName);
  refuseMissingLayers(config, decoder, modelName);
  const selection = selectModules(config, decoder, fieldError('config.invalid_value'));
  for (const entry of selection.targets) {
    if (entry.matches.size === 0) throw noTarget(entry, config, decoder, modelName);
  }
  refuseIneffectiveExclusions(selection);
  refuseIneffectiveKeys('rank_pattern', selection.ranks);
  refuseIneffectiveKeys('alpha_pattern', selection.alphas);
  checkRanks(selection.modules);
  return [...selection.modules];
}

/**
 * Makes sure that no rank exceeds what its layer can hold: a product `B A` of a larger one has no
 * more degrees of freedom, and `A Aᵀ` is singular.
 *
 * @throws LorafaError `adapter.rank_too_large`.
 */
export function checkRanks(modules: readonly LoraModule[]): void {
  for (const { name, r, inFeatures, outFeatures } of modules) {
    const limit = Math.min(inFeatures, outFeatures);
    if (r > limit) {
      throw new LorafaError(
        'adapter.rank_too_large',
        `Rank ${r} is too large for layer ${name}, which is ${inFeatures} wide at its input and ${outFeatures} at its output; use a rank of at most ${limit} (\`lora.r\`, or \`lora.rank_pattern\` for this layer alone).`,
      );
    }
  }
}

function fieldError(code: ErrorCode) {
  return (field: string, problem: string) => new LorafaError(code, `\`lora.${field}\` ${problem}.`);
}

const targetError = fieldError('adapter.no_target');

function refuseUnadaptable(config: LoraConfig, modelName: string): void {
  if (isAllLinear(config.target_modules)) return;
  const fail = fieldError('config.invalid_value');
  const targets = entriesOf(config.target_modules, UNADAPTABLE, 'target_modules', fail);
  for (const { text, matches } of targets) {
    const [name] = matches;
    if (name === undefined) continue;
    throw targetError(
      'target_modules',
      `asks for ${name} of ${modelName} with "${text}", but only linear layers inside the decoder can be adapted; remove it, or use "all-linear"`,
    );
  }
}

function refuseMissingLayers(
  { layers_to_transform: layers = [] }: LoraConfig,
  { numLayers }: DecoderConfig,
  modelName: string,
): void {
  const missing = [layers].flat().find((layer) => layer >= numLayers);
  if (missing === undefined) return;
  throw targetError(
    'layers_to_transform',
    `names layer ${missing}, but ${modelName} has the layers 0 to ${numLayers - 1}`,
  );
}

/** The error for an entry of `target_modules` that matches no layer: what there is, what was meant. */
function noTarget(
  { text }: Entry,
  { target_modules: target, layers_to_transform: layers }: LoraConfig,
  decoder: DecoderConfig,
  modelName: string,
): LorafaError {
  const names = linearModules(decoder).map(({ name }) => name);
  const kinds = [...new Set(names.map((name) => name.slice(name.lastIndexOf('.') + 1)))];
  const narrowed = layers === undefined ? '' : ' within `lora.layers_to_transform`';
  const problem =
    typeof target === 'string'
      ? `is the regular expression "${text}", which matches the full name of no linear layer of ${modelName}${narrowed}`
      : `names "${text}", which no linear layer of ${modelName} is called${narrowed}`;
  return targetError(
    'target_modules',
    `${problem}; ${suggestion(text, typeof target === 'string', names)}there are ${kinds.join(', ')}, each in model.layers.0 to model.layers.${decoder.numLayers - 1}`,
  );
}

/** What was probably meant, or nothing. */
function suggestion(text: string, isExpression: boolean, names: readonly string[]): string {
  const known = [...new Set(names.flatMap(namesFor))];
  if (known.includes(text)) return isExpression ? `write it as a list, ["${text}"]; ` : '';
  const nearest = nearestName(text, known);
  return nearest === undefined ? '' : `did you mean "${nearest}"? `;
}

/** The names in a list that mean a layer: the full name and what follows each dot in it. */
function namesFor(fullName: string): string[] {
  const parts = fullName.split('.');
  return parts.map((_, index) => parts.slice(index).join('.'));
}

function refuseIneffectiveExclusions({ targets, excludes, modules }: Selection): void {
  const targeted = new Set(targets.flatMap(({ matches }) => [...matches]));
  for (const { text, matches } of excludes) {
    if ([...matches].some((name) => targeted.has(name))) continue;
    throw targetError(
      'exclude_modules',
      `excludes "${text}", which is none of the layers that \`lora.target_modules\` chooses; correct or remove it (a string is a regular expression for the full name, a list holds names)`,
    );
  }
  if (modules.length === 0) {
    throw targetError(
      'exclude_modules',
      `excludes all that \`lora.target_modules\` chooses (${quoteAll([...targeted])}), so that nothing would be trained`,
    );
  }
}

function refuseIneffectiveKeys(field: string, keys: readonly Entry[]): void {
  const idle = keys.find(({ matches }) => matches.size === 0);
  if (idle === undefined) return;
  throw targetError(
    field,
    `has the key "${idle.text}", which has no effect: it matches none of the adapted layers, or keys before it match them all (the first that matches decides); correct it, move it up or remove it`,
  );
}
