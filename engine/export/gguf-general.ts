import type { DecoderConfig } from '../architectures/decoder-config.ts';
import { type GgufValue, uint32 } from '../architectures/gguf-conventions.ts';
import { LorafaError } from '../errors.ts';
import { ggufArchitecture } from '../gguf/gguf-model-metadata.ts';

/** Of the formats that values are stored in (`GGML_QNT_VERSION`). */
export const QUANTIZATION_VERSION: [string, GgufValue] = [
  'general.quantization_version',
  uint32(2),
];

/**
 * The architecture of a model, as llama.cpp calls it.
 *
 * @throws LorafaError `model.unsupported` where it does not know it
 */
export function requireArchitecture(config: DecoderConfig): string {
  const hasExperts = new Set(config.layers.map(({ mlp }) => mlp.kind === 'experts'));
  if (hasExperts.size > 1) {
    throw new LorafaError(
      'model.unsupported',
      'llama.cpp knows experts in all layers of a model or in none; choose another format (merged, peft).',
    );
  }
  const architecture = ggufArchitecture(config);
  if (architecture !== undefined) return architecture;
  throw new LorafaError(
    'model.unsupported',
    `GGUF files of models of the kind ${config.family} are not written here; choose another format (merged, peft).`,
  );
}

/** What stands first in every file. */
export function generalEntries(
  config: DecoderConfig,
  about: {
    readonly type: 'model' | 'adapter';
    readonly name: string;
    readonly parameters: number;
    readonly experts?: number;
  },
): [string, GgufValue][] {
  const { experts = 1 } = about;
  return [
    ['general.architecture', requireArchitecture(config)],
    ['general.type', about.type],
    ['general.name', about.name],
    ['general.size_label', `${experts > 1 ? `${experts}x` : ''}${sizeLabel(about.parameters)}`],
  ];
}

/** `1.2B`: parameters in two digits at least, as llama.cpp's converter rounds them. */
export function sizeLabel(parameters: number): string {
  const [divisor, suffix] =
    parameters > 1e12
      ? [1e12, 'T']
      : parameters > 1e9
        ? [1e9, 'B']
        : parameters > 1e6
          ? [1e6, 'M']
          : [1e3, 'K'];
  const scaled = parameters / divisor;
  const whole = Math.round(scaled);
  const digits = whole === 0 ? 0 : String(whole).length;
  return `${scaled.toFixed(Math.max(2 - digits, 0))}${suffix}`;
}
