import { numElements } from '../dim.ts';
import type { OpTable } from '../op.ts';

/** Values that are not computed: what a run is fed, mapped weights, embedded constants. */
export const leafOps: Pick<OpTable, 'input' | 'weight' | 'constant'> = {
  input: {
    infer: (_, { dtype, shape }) => ({ dtype, shape }),
    emit: (onnx, value) => onnx.graphInput(value.name, value.dtype, value.shape),
    vjp: 'leaf',
    samples: [],
  },
  weight: {
    infer: (_, { dtype, shape }) => ({ dtype, shape }),
    emit: (onnx, value) =>
      onnx.externalInitializer(value.name, value.dtype, value.shape, value.attributes.data),
    vjp: 'leaf',
    samples: [],
  },
  constant: {
    infer: (_, { dtype, shape, data }) => {
      if (numElements(shape) !== data.length) {
        throw new TypeError(`${data.length} numbers do not fill [${shape.join(', ')}]`);
      }
      return { dtype, shape };
    },
    emit: (onnx, value) => {
      const { dtype, shape, data } = value.attributes;
      onnx.initializer(value.name, dtype, shape, data);
    },
    vjp: 'leaf',
    samples: [],
  },
};
