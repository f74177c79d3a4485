import type { DecoderConfig } from '../architectures/decoder-config.ts';
import { type LinearModule, linearModules } from '../architectures/linear-modules.ts';
import type { LoraConfig } from './lora-config.ts';
import type { LoraModule } from './lora-module.ts';
import {
  type Entry,
  type FieldError,
  fullMatches,
  isNameOf,
  patternKeyMatches,
} from './name-patterns.ts';

/** The layers that a LoRA configuration adapts, and what each part of it contributed. */
export interface Selection {
  /** The adapted layers, in the order of the forward pass. */
  readonly modules: readonly LoraModule[];
  /** `target_modules` narrowed to `layers_to_transform`; a string is one entry. */
  readonly targets: readonly Entry[];
  /** `exclude_modules`. */
  readonly excludes: readonly Entry[];
  /** Keys of `rank_pattern` with the adapted layers whose rank they decide. */
  readonly ranks: readonly Entry[];
  /** Keys of `alpha_pattern` with the adapted layers whose `lora_alpha` they decide. */
  readonly alphas: readonly Entry[];
}

/**
 * Selects layers as PEFT does (`check_target_module_exists` and `_create_and_replace`): names in a
 * list match whole or from a dot on, a string is a regular expression for the whole name or
 * "all-linear", exclusion goes first, and of the pattern keys the first that matches decides.
 * As in PEFT, a full name in `target_modules` counts whatever `layers_to_transform` says.
 *
 * PEFT refuses `layers_to_transform` beside a string; here it narrows that too. Only the linear
 * layers of the decoder are candidates.
 *
 * @throws LorafaError made by `fail` for a regular expression that is invalid or never ends.
 */
export function selectModules(
  config: LoraConfig,
  decoder: DecoderConfig,
  fail: FieldError,
): Selection {
  const linears = linearModules(decoder);
  const names = linears.map(({ name }) => name);
  const targets = targetEntries(config, linears, fail);
  const excludes = entriesOf(config.exclude_modules ?? [], names, 'exclude_modules', fail);
  const has = (entries: readonly Entry[], name: string) =>
    entries.some(({ matches }) => matches.has(name));
  const adapted = linears.filter(({ name }) => has(targets, name) && !has(excludes, name));
  const adaptedNames = adapted.map(({ name }) => name);
  const ranks = decidingKeys(config.rank_pattern, adaptedNames, 'rank_pattern', fail);
  const alphas = decidingKeys(config.alpha_pattern, adaptedNames, 'alpha_pattern', fail);
  const modules = adapted.map(({ name, inFeatures, outFeatures, fanInFanOut }) => {
    const r = valueFor(name, ranks, config.rank_pattern) ?? config.r;
    const loraAlpha = valueFor(name, alphas, config.alpha_pattern) ?? config.lora_alpha;
    const scaling = loraAlpha / (config.use_rslora ? Math.sqrt(r) : r);
    return { name, inFeatures, outFeatures, fanInFanOut, r, loraAlpha, scaling };
  });
  return { modules, targets, excludes, ranks, alphas };
}

/**
 * The rank that a configuration gives to each of some adapted layers.
 *
 * @throws as {@link selectModules}
 */
export function ranksOf(
  { r, rank_pattern: pattern }: Pick<LoraConfig, 'r' | 'rank_pattern'>,
  names: readonly string[],
  fail: FieldError,
): (name: string) => number {
  const ranks = decidingKeys(pattern, names, 'rank_pattern', fail);
  return (name) => valueFor(name, ranks, pattern) ?? r;
}

/** Whether `target_modules` asks for every linear layer but the output layer. */
export function isAllLinear(targetModules: LoraConfig['target_modules']): boolean {
  return typeof targetModules === 'string' && targetModules.toLowerCase() === 'all-linear';
}

/** Which of `names` each entry of a list, or a regular expression, matches. */
export function entriesOf(
  value: string | readonly string[],
  names: readonly string[],
  field: string,
  fail: FieldError,
): Entry[] {
  if (typeof value === 'string') return [fullMatches(value, names, field, fail)];
  return value.map((text) => ({
    text,
    matches: new Set(names.filter((name) => isNameOf(text, name))),
  }));
}

function targetEntries(
  { target_modules: target, layers_to_transform: layers = [] }: LoraConfig,
  linears: readonly LinearModule[],
  fail: FieldError,
): Entry[] {
  const names = linears.map(({ name }) => name);
  const entries =
    typeof target === 'string' && isAllLinear(target)
      ? [{ text: target, matches: new Set(names) }]
      : entriesOf(target, names, 'target_modules', fail);
  const wanted = new Set([layers].flat());
  if (wanted.size === 0) return entries;
  const layerOf = new Map(linears.map(({ name, layer }) => [name, layer]));
  return entries.map(({ text, matches }) => ({
    text,
    matches: new Set(
      [...matches].filter((name) => name === text || wanted.has(layerOf.get(name)!)),
    ),
  }));
}

/** The keys of a pattern, each with the layers for which it is the first to match. */
function decidingKeys(
  pattern: Readonly<Record<string, number>>,
  names: readonly string[],
  field: string,
  fail: FieldError,
): Entry[] {
  const decided = new Set<string>();
  return patternKeyMatches(Object.keys(pattern), names, field, fail).map(({ text, matches }) => {
    const first = [...matches].filter((name) => !decided.has(name));
    for (const name of first) decided.add(name);
    return { text, matches: new Set(first) };
  });
}

function valueFor(
  name: string,
  keys: readonly Entry[],
  pattern: Readonly<Record<string, number>>,
): number | undefined {
  const key = keys.find(({ matches }) => matches.has(name));
  return key && pattern[key.text];
}
