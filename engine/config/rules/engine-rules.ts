import { COMPUTE_MODES, MODES_OF_DEVICES } from '../../weights/compute-mode.ts';
import type { Given } from '../given.ts';
import { setValue } from '../path-problem.ts';
import { problem, type Rule } from './rule.ts';

/** The kind of device that the configuration names; undefined where only a run tells. */
export function namedKind(given: Given): 'cpu' | 'cuda' | 'webgpu' | undefined {
  const device = given('engine', 'device');
  if (device === 'cpu' || device === 'webgpu') return device;
  return typeof device === 'string' && device.startsWith('cuda') ? 'cuda' : undefined;
}

/** Modes are of devices; which one `auto` chooses, only a run tells. */
export const deviceRule: Rule = (given) => {
  const kind = namedKind(given);
  const compute = COMPUTE_MODES.find((mode) => mode === given('engine', 'compute'));
  if (kind === undefined || compute === undefined) return [];
  if (MODES_OF_DEVICES[kind].includes(compute)) return [];
  const path = ['engine', 'compute'];
  const instead = kind === 'cuda' ? 'bfloat16' : 'float32';
  return [
    problem(
      path,
      `\`engine.compute\` "${compute}" has no kernels for \`engine.device\` "${given('engine', 'device')}"; choose "${instead}", or the device "cpu"`,
      setValue(path, instead),
      setValue(['engine', 'device'], 'cpu'),
    ),
  ];
};

/** Tensor cores are NVIDIA's. */
export const tf32Rule: Rule = (given) => {
  const kind = namedKind(given);
  if (given('engine', 'tf32') !== true || kind === undefined || kind === 'cuda') return [];
  const path = ['engine', 'tf32'];
  return [
    problem(
      path,
      `\`engine.tf32\` has an effect only on CUDA, and \`engine.device\` is "${kind}"; remove one of the two`,
      { kind: 'remove', path },
      { kind: 'remove', path: ['engine', 'device'] },
    ),
  ];
};
