import { formatShape, sameShape } from '../dim.ts';
import type { OpAttributes, OpTable } from '../op.ts';
import type { Value, ValueType } from '../value.ts';
import { ATTENTION_OPS } from './attention.ts';
import { ownNode } from './own-domain.ts';

/** Attention to keys that lie as they are made, token after token. */
export const groupedAttentionOps: Pick<OpTable, 'groupedAttention' | 'chunkAttention'> = {
  /**
   * `softmax(q kᵀ + bias) v` for each head: queries `[tokens, heads · width]`, keys and values
   * `[keys, groups · width]`, and a bias `[tokens, keys]` that all heads have; all float32, the result like the
   * queries (ONNX Attention). As many heads in a row share a key and a value, which are read where they lie.
   */
  groupedAttention: {
    infer: attendedType,
    emit: (onnx, { name, inputs, shape, attributes: { numHeads, numKeyValueHeads } }) => {
      const [query, key, value, bias] = inputs as readonly [Value, Value, Value, Value];
      const batches = [query, key, value].map((each, i) => {
        const batch = onnx.temporary(name, `batch_${i}`);
        onnx.node('Reshape', [each.name, onnx.shape([1, ...each.shape], each.shape)], [batch]);
        return batch;
      });
      const attended = onnx.temporary(name, 'attended');
      onnx.node('Attention', [...batches, bias.name], [attended], {
        q_num_heads: numHeads,
        kv_num_heads: numKeyValueHeads,
        scale: { float: 1 },
      });
      onnx.node('Reshape', [attended, onnx.shape(shape, [1, ...shape])], [name]);
    },
    vjp: 'not differentiable',
    samples: [],
  },
  /** The same by an op of our own, for a fixed number of tokens and any of keys. */
  chunkAttention: {
    infer: attendedType,
    emit: (onnx, value) => {
      const { shape, attributes } = value;
      const [tokens, width] = shape.map(Number) as [number, number];
      ownNode(onnx, ATTENTION_OPS.chunkAttention, value, {
        tokens,
        heads: attributes.numHeads,
        groups: attributes.numKeyValueHeads,
        width: width / attributes.numHeads,
      });
    },
    vjp: 'not differentiable',
    samples: [],
  },
};

function attendedType(
  [query, key, value, bias]: readonly ValueType[],
  { numHeads, numKeyValueHeads: groups }: OpAttributes['groupedAttention'],
): ValueType {
  const [tokens, width] = query!.shape;
  const [keys] = key!.shape;
  const keyWidth = (Number(width) / numHeads) * groups;
  const isFit =
    numHeads % groups === 0 &&
    sameShape(key!.shape, [keys!, keyWidth]) &&
    sameShape(value!.shape, key!.shape) &&
    sameShape(bias!.shape, [tokens!, keys!]);
  if (isFit) return { dtype: 'float32', shape: query!.shape };
  const shapes = [query!, key!, value!, bias!].map(({ shape }) => formatShape(shape));
  throw new TypeError(`${shapes.join(', ')} are no queries, keys, values and bias`);
}
