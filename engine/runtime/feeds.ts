import { LorafaError } from '../errors.ts';
import { formatShape, sizeOf, staticSize } from '../graph/dim.ts';
import type { Graph } from '../graph/graph.ts';
import type { Value } from '../graph/value.ts';
import { type Device, formatDevice } from './device.ts';
import { DeviceTensor } from './device-tensor.ts';
import { StateTensor } from './state-tensor.ts';
import { type HostDType, isHostDType, newArray, type Tensor, type TypedArray } from './tensor.ts';

/** What a run is fed: a bare array where the graph knows the whole shape. */
export type Feeds = Readonly<Record<string, TypedArray | Tensor | StateTensor>>;

/** Where results go. */
export type Results = Readonly<Record<string, TypedArray | StateTensor>>;

/** What is computed, once, and the names by which it goes. */
export interface Output {
  readonly value: Value;
  readonly names: readonly string[];
}

/** An input that is an output as well is nothing to compute. */
export function outputsOf(graph: Graph): readonly Output[] {
  const outputs = new Map<string, { value: Value; names: string[] }>();
  for (const [name, value] of graph.outputs) {
    if (value.op === 'input') continue;
    const known = outputs.get(value.name);
    if (known === undefined) outputs.set(value.name, { value, names: [name] });
    else known.names.push(name);
  }
  return [...outputs.values()];
}

/** Where an output goes. */
export function roomFor(
  { value, names }: Output,
  sizes: ReadonlyMap<string, number>,
  results: Results,
  device: Device,
): Tensor | DeviceTensor {
  requireHostDType(value);
  const shape = value.shape.map((dim) => {
    const size = sizeOf(dim, sizes);
    if (size !== undefined) return size;
    throw new LorafaError('internal.graph', `no input tells the size ${dim} of ${value.name}`);
  });
  const target = names.map((name) => results[name]).find((array) => array !== undefined);
  if (target instanceof StateTensor) return fed({ ...value, shape }, target, device);
  if (target !== undefined) return fed(value, { data: target, shape }, device);
  return { data: newArray(value.dtype as HostDType, staticSize(shape)!), shape };
}

/** What the sizes are that the graph knows by name, as what is fed has them. */
export function sizesIn(
  inputs: readonly Value[],
  given: readonly Pick<Tensor, 'shape'>[],
): ReadonlyMap<string, number> {
  const sizes = new Map<string, number>();
  inputs.forEach(({ shape }, index) => {
    shape.forEach((dim, axis) => {
      if (typeof dim === 'string') sizes.set(dim, given[index]!.shape[axis]!);
    });
  });
  return sizes;
}

function requireHostDType({ name, dtype }: Value): void {
  if (isHostDType(dtype)) return;
  throw new LorafaError('internal.graph', `${name} is ${dtype}, not for JavaScript`);
}

/**
 * What is fed, in the shape of a value.
 *
 * @param device of the session
 * @throws LorafaError `internal.graph`
 */
export function fed(
  value: Value,
  feed: TypedArray | Tensor | StateTensor | undefined,
  device: Device,
): Tensor | DeviceTensor {
  if (feed === undefined) {
    throw new LorafaError('internal.graph', `the input ${value.name} was not fed`);
  }
  requireHostDType(value);
  if (feed instanceof StateTensor) requireFit(value, feed, device);
  if (feed instanceof DeviceTensor) return feed;
  const { data, shape } = 'shape' in feed ? (feed as Tensor) : { data: feed, shape: value.shape };
  const dims = shape.map(Number);
  if (data.length !== staticSize(dims)) {
    throw new LorafaError(
      'internal.graph',
      `${value.name} was given ${data.length} elements for the shape [${shape.join(', ')}]`,
    );
  }
  return { data, shape: dims };
}

/** A tensor that stays has the very shape of the value, and is read and written in place. */
function requireFit({ name, dtype, shape }: Value, tensor: StateTensor, device: Device): void {
  const isFit =
    dtype === 'float32' &&
    shape.length === tensor.shape.length &&
    shape.every((dim, axis) => typeof dim === 'string' || dim === tensor.shape[axis]);
  if (!isFit) {
    throw new LorafaError(
      'internal.graph',
      `${name} is ${dtype} ${formatShape(shape)} and was given a tensor of float32 ${formatShape(tensor.shape)}`,
    );
  }
  const [there, here] = [tensor.device, device].map(formatDevice);
  if (there === here || there === 'cpu') return;
  throw new LorafaError(
    'internal.graph',
    `${name} was given a tensor of ${there} in a session of ${here}`,
  );
}
