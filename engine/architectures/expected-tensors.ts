import type { DecoderConfig, LinearPart, Part } from './decoder-config.ts';
import { decoderModules } from './modules.ts';

/**
 * Name and shape of every tensor that a decoder of this config reads, in the order of the forward
 * pass.
 */
export function expectedTensors(config: DecoderConfig): Map<string, readonly number[]> {
  return new Map(decoderModules(config).flatMap(({ part }) => tensorsOf(part)));
}

function tensorsOf(part: Part): [string, readonly number[]][] {
  const { name } = part;
  switch (part.kind) {
    case 'embedding':
      return [[`${name}.weight`, [part.rows, part.width]]];
    case 'linear':
      return withBias(name, matrixShape(part), part.bias && part.outFeatures);
    case 'rms':
    case 'layer':
      return withBias(name, [part.size], part.bias && part.size);
  }
}

function matrixShape({ inFeatures, outFeatures, fanInFanOut }: LinearPart): readonly number[] {
  return fanInFanOut ? [inFeatures, outFeatures] : [outFeatures, inFeatures];
}

function withBias(
  name: string,
  shape: readonly number[],
  biasSize: number | false,
): [string, readonly number[]][] {
  const weight: [string, readonly number[]] = [`${name}.weight`, shape];
  return biasSize === false ? [weight] : [weight, [`${name}.bias`, [biasSize]]];
}
