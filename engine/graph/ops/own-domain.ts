import type { OnnxEmitter } from '../../onnx/emitter.ts';
import type { Value } from '../value.ts';

/** The ONNX domain of the ops of our own, which `engine/runtime/own-ops.ts` computes. */
export const OWN_DOMAIN = 'lorafa';

/**
 * A node of an op of our own, with the integers that its kernel is made for. Its type is written out: what
 * ONNX Runtime doesn't know the size of it computes nothing in place of, nor of what is made of it.
 */
export function ownNode(
  onnx: OnnxEmitter,
  opType: string,
  value: Value,
  attributes: Readonly<Record<string, number>>,
): void {
  const inputs = value.inputs.map(({ name }) => name);
  onnx.node(opType, inputs, [value.name], attributes, OWN_DOMAIN);
  onnx.named(value);
}
