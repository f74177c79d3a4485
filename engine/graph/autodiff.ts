import { LorafaError } from '../errors.ts';
import type { GraphBuilder } from './builder.ts';
import { formatShape, sameShape } from './dim.ts';
import { isFloating } from './dtype.ts';
import type { OpName, Vjp, VjpContext } from './op.ts';
import { opTable } from './ops/table.ts';
import { isOp, type Value } from './value.ts';

/**
 * Gradients of a loss; see {@link pullback}.
 *
 * @param loss a value of one element
 * @returns for each x of `wrt` a value of x's shape
 */
export function gradients(
  builder: GraphBuilder,
  loss: Value,
  wrt: readonly Value[],
): Map<Value, Value> {
  const one = builder.expand(builder.scalar(1, loss.dtype), loss.shape);
  return pullback(builder, loss, one, wrt);
}

/**
 * Reverse-mode differentiation: appends to the builder what computes d loss / d x for each x of
 * `wrt` from d loss / d `output`, in reverse of the forward order. Only paths from `wrt` to the
 * output are followed, so what is not asked for (LoRA-FA's A) costs nothing. Values of a region
 * that is to be recomputed are computed again just before they are used.
 *
 * @param cotangent d loss / d output, of the output's shape
 * @returns for each x a value of x's shape
 * @throws LorafaError `internal.graph` when the output does not depend on an x
 */
export function pullback(
  builder: GraphBuilder,
  output: Value,
  cotangent: Value,
  wrt: readonly Value[],
): Map<Value, Value> {
  const forward = [...builder.values];
  const needed = dependents(builder, forward, wrt);
  const contributions = new Map<Value, Value[]>([[output, [cotangent]]]);
  const wanted = new Set(wrt);
  const replayed = new Map<Value, Value>();
  const result = new Map<Value, Value>();
  const current = (value: Value): Value => replay(builder, value, replayed);
  const contribute = (input: Value, part: Value): void => {
    contributions.set(input, [...(contributions.get(input) ?? []), part]);
  };

  for (const value of forward.toReversed()) {
    const parts = contributions.get(value);
    contributions.delete(value);
    if (parts === undefined || !needed.has(value)) continue;
    builder.withScope(backwardScope(value), () => {
      const total = sumCotangents(builder, parts, value);
      if (wanted.has(value)) {
        result.set(value, total);
        return;
      }
      const custom = builder.customGradientsOf(value);
      if (custom !== undefined) {
        for (const { input, pullback } of custom) {
          if (needed.has(input)) contribute(input, pullback(total, current));
        }
        return;
      }
      const replica = current(value);
      value.inputs.forEach((input, index) => {
        if (!needed.has(input)) return;
        const part = inputCotangent(builder, replica, index, total);
        contribute(input, builder.sumTo(part, input.shape));
      });
    });
  }

  for (const x of wrt) {
    if (!result.has(x)) {
      throw new LorafaError('internal.graph', `${output.name} does not depend on ${x.name}`);
    }
  }
  return result;
}

/**
 * The value itself, or its second computation if it belongs to a recomputed region. A region is
 * copied whole at its last value, which the backward pass meets first; dead-code elimination drops
 * what no gradient needs.
 */
function replay(builder: GraphBuilder, value: Value, replayed: Map<Value, Value>): Value {
  const region = builder.regionOf(value);
  if (region === undefined) return value;
  if (!replayed.has(value)) {
    for (const original of region) {
      const inputs = original.inputs.map((input) => replayed.get(input) ?? input);
      replayed.set(original, builder.apply(original.op, inputs, original.attributes));
    }
  }
  return replayed.get(value)!;
}

/** The values of `wrt` and everything that is computed from them. */
function dependents(
  builder: GraphBuilder,
  forward: readonly Value[],
  wrt: readonly Value[],
): Set<Value> {
  const needed = new Set(wrt);
  for (const value of forward) {
    const inputs = builder.customGradientsOf(value)?.map(({ input }) => input) ?? value.inputs;
    // What is no number, such as a mask, passes no gradient on.
    if (isFloating(value.dtype) && inputs.some((input) => needed.has(input))) needed.add(value);
  }
  return needed;
}

function backwardScope(value: Value): string {
  const end = value.name.lastIndexOf('/');
  return end === -1 ? 'backward' : `backward.${value.name.slice(0, end)}`;
}

function inputCotangent<K extends OpName>(
  builder: GraphBuilder,
  value: Value<K>,
  index: number,
  cotangent: Value,
): Value {
  const vjp: Vjp<K> | string = opTable[value.op].vjp;
  const context: VjpContext<K> = {
    builder,
    value,
    cotangent,
    input: (i) => value.inputs[i]!,
  };
  if (typeof vjp === 'function') return vjp(context, index);
  const rule = typeof vjp === 'string' ? null : vjp[index];
  if (rule === null || rule === undefined) {
    throw new LorafaError(
      'internal.graph',
      `${value.name} has no gradient for its input ${index} (${formatShape(value.shape)})`,
    );
  }
  return rule(context);
}

/**
 * The sum of all cotangents of one value. Zero-padded pieces that tile it (what the slices of a
 * split leave behind) are concatenated instead of padded and added.
 */
function sumCotangents(builder: GraphBuilder, parts: readonly Value[], value: Value): Value {
  const sum =
    concatTiles(builder, parts, value) ??
    joinSegments(builder, parts) ??
    parts.reduce((total, part) => builder.add(total, part));
  if (!sameShape(sum.shape, value.shape)) {
    throw new LorafaError(
      'internal.graph',
      `the gradient of ${value.name} has shape ${formatShape(sum.shape)}, not ${formatShape(value.shape)}`,
    );
  }
  return sum;
}

function concatTiles(
  builder: GraphBuilder,
  parts: readonly Value[],
  value: Value,
): Value | undefined {
  if (parts.length < 2) return undefined;
  const pads = parts.filter((part) => isOp(part, 'pad'));
  const axis = pads[0]?.attributes.axis;
  if (pads.length !== parts.length || pads.some((pad) => pad.attributes.axis !== axis)) {
    return undefined;
  }
  const ordered = pads.toSorted((a, b) => a.attributes.before - b.attributes.before);
  let end = 0;
  for (const pad of ordered) {
    if (pad.attributes.before !== end) return undefined;
    end += Number(pad.inputs[0]!.shape[axis!]);
  }
  if (end !== value.shape[axis!]) return undefined;
  return builder.concat(
    ordered.map((pad) => pad.inputs[0]!),
    axis!,
  );
}

/** The same for segments: all of them, which lie after each other. */
function joinSegments(builder: GraphBuilder, parts: readonly Value[]): Value | undefined {
  const pads = parts.filter((part) => isOp(part, 'padSegment'));
  const ends = pads[0]?.inputs[1];
  if (ends === undefined || pads.length !== parts.length || pads.length !== ends.shape[0]) {
    return undefined;
  }
  const ordered = pads.toSorted((a, b) => a.attributes.index - b.attributes.index);
  if (ordered.some(({ attributes, inputs }, i) => attributes.index !== i || inputs[1] !== ends)) {
    return undefined;
  }
  return builder.joinSegments(
    ordered.map(({ inputs }) => inputs[0]!),
    ends,
    ordered[0]!.attributes.rows,
  );
}
