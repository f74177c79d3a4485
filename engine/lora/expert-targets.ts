import type { DecoderConfig, ExpertsPart, Part } from '../architectures/decoder-config.ts';
import { linearModules } from '../architectures/linear-modules.ts';
import { mlpParts } from '../architectures/modules.ts';
import { type PathProblem, type Remedy, setValue } from '../config/path-problem.ts';
import { LorafaError } from '../errors.ts';
import type { LoraConfig } from './lora-config.ts';
import type { LoraModule } from './lora-module.ts';

/**
 * What PEFT would load wrongly, or not at all, of adapters in a model with experts. Since transformers
 * 5 the experts of a layer are two tensors, to which PEFT brings what was saved for each linear layer
 * (PEFT 0.21, `transformers_weight_conversion.py`): with one rank and one `lora_alpha` for all experts,
 * their down layers always among them, without dropout and rsLoRA, and not beside adapters of layers
 * that have one MLP of the same names instead.
 */
export function expertProblems(
  config: LoraConfig,
  { layers }: DecoderConfig,
  modules: readonly LoraModule[],
): readonly PathProblem[] {
  const adapted = new Map(modules.map((module) => [module.name, module]));
  const isAdapted = ({ name }: Part): boolean => adapted.has(name);
  const mixtures = layers.map(({ mlp }) => mlp).filter((mlp) => mlp.kind === 'experts');
  if (mixtures.length === 0) return [];
  const dense = layers.flatMap(({ mlp }) => (mlp.kind === 'experts' ? [] : mlpParts(mlp)));
  const experts = mixtures.flatMap((mixture) => mixture.experts.flatMap(mlpParts));
  const chosen = experts.filter(isAdapted).map(({ name }) => adapted.get(name)!);
  return [
    ...denseProblems(
      dense.filter(isAdapted).map(({ name }) => name),
      config,
    ),
    ...(chosen.length === 0
      ? []
      : [
          ...incompleteProblems(mixtures, isAdapted),
          ...strengthProblems(chosen, config),
          ...dropoutProblems(config.lora_dropout),
        ]),
  ];
}

/**
 * Makes sure that an adapter of experts is trained without dropout, be it one that is there already.
 *
 * @throws LorafaError `adapter.unsupported`
 */
export function requireNoExpertDropout(
  dropout: number,
  decoder: DecoderConfig,
  modules: readonly LoraModule[],
): void {
  const adapted = new Set(modules.map(({ name }) => name));
  const isOnExperts = linearModules(decoder).some(
    ({ name, inExpert }) => inExpert && adapted.has(name),
  );
  const [problem] = isOnExperts ? dropoutProblems(dropout) : [];
  if (problem !== undefined) throw new LorafaError(problem.code, `${problem.message}.`);
}

function denseProblems(names: readonly string[], config: LoraConfig): readonly PathProblem[] {
  const [first] = names;
  if (first === undefined) return [];
  const exclude = ['lora', 'exclude_modules'];
  const remedies: Remedy[] =
    typeof config.exclude_modules === 'string'
      ? []
      : [setValue(exclude, [...(config.exclude_modules ?? []), ...names])];
  return [
    problem(
      'target_modules',
      `chooses ${first}, of a layer without experts, but PEFT takes such names for those of the experts in other layers; leave it out by \`lora.exclude_modules\``,
      remedies,
    ),
  ];
}

/** Of each mixture that is adapted all layers of all experts, or the down layers of all of them. */
function incompleteProblems(
  mixtures: readonly ExpertsPart[],
  isAdapted: (part: Part) => boolean,
): readonly PathProblem[] {
  const kinds = mixtures.map(({ experts }) => [
    ...new Set(experts.map((expert) => mlpParts(expert).map(isAdapted).map(Number).join(''))),
  ]);
  const first = kinds.find((each) => each.join('').includes('1'))!;
  const isLoaded = first.length === 1 && /^(1+|0+1)$/.test(first[0]!);
  const other = kinds.findIndex(
    (each) => each.join('').includes('1') && !(isLoaded && each.join() === first.join()),
  );
  if (other < 0) return [];
  const { name, experts } = mixtures[other]!;
  const parts = mlpParts(experts[0]!).map((part) =>
    part.name.slice(part.name.lastIndexOf('.') + 1),
  );
  return [
    problem(
      'target_modules',
      `chooses only some of the linear layers in ${name}, but PEFT loads adapters of all experts alike, of ${parts.join(', ')} together or of ${parts.at(-1)} alone; name these, or none of them`,
    ),
  ];
}

function strengthProblems(
  chosen: readonly LoraModule[],
  { r, lora_alpha: loraAlpha, use_rslora: isRankStabilized }: LoraConfig,
): readonly PathProblem[] {
  const otherRank = chosen.find((module) => module.r !== r);
  const otherAlpha = chosen.find((module) => module.loraAlpha !== loraAlpha);
  const pattern = (field: string, { name }: LoraModule): PathProblem =>
    problem(
      field,
      `decides about ${name}, but PEFT loads experts of one rank and one strength, those of \`lora.r\` and \`lora.lora_alpha\`; let it match no expert`,
    );
  return [
    ...(otherRank === undefined ? [] : [pattern('rank_pattern', otherRank)]),
    ...(otherAlpha === undefined ? [] : [pattern('alpha_pattern', otherAlpha)]),
    ...(isRankStabilized
      ? [
          problem(
            'use_rslora',
            'is on, but PEFT scales the experts of such an adapter otherwise than they were trained; turn it off, or adapt no experts',
            [setValue(['lora', 'use_rslora'], false)],
          ),
        ]
      : []),
  ];
}

function dropoutProblems(dropout: number): readonly PathProblem[] {
  if (dropout === 0) return [];
  return [
    problem(
      'lora_dropout',
      `is ${dropout}, but PEFT loads no adapter of experts that was trained with dropout; set it to 0, or adapt no experts`,
      [setValue(['lora', 'lora_dropout'], 0)],
    ),
  ];
}

function problem(field: string, what: string, remedies: readonly Remedy[] = []): PathProblem {
  return {
    path: ['lora', field],
    part: 'value',
    code: 'adapter.unsupported',
    message: `\`lora.${field}\` ${what}`,
    remedies,
  };
}
