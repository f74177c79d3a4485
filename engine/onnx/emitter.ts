import type { Shape } from '../graph/dim.ts';
import { DTYPE_BYTES, type DType, ONNX_DATA_TYPE } from '../graph/dtype.ts';
import type { ExternalData } from '../graph/op.ts';
import type { OnnxAttribute, OnnxNode, OnnxTensor, OnnxValueInfo } from './proto.ts';

/** Collects the ONNX nodes, initializers and inputs that ops write for their values. */
export class OnnxEmitter {
  readonly nodes: OnnxNode[] = [];
  readonly initializers: OnnxTensor[] = [];
  readonly inputs: OnnxValueInfo[] = [];
  readonly values: OnnxValueInfo[] = [];
  readonly #shared = new Set<string>();

  /** An ONNX node; its name is that of its first output. */
  node(
    opType: string,
    inputs: readonly string[],
    outputs: readonly string[],
    attributes: Readonly<Record<string, OnnxAttribute>> = {},
    domain = '',
  ): void {
    this.nodes.push({ name: outputs[0]!, opType, domain, inputs, outputs, attributes });
  }

  /** The name of an intermediate result inside the value `name`. */
  temporary(name: string, role: string): string {
    return `${name}:${role}`;
  }

  cast(input: string, output: string, to: DType): void {
    this.node('Cast', [input], [output], { to: ONNX_DATA_TYPE[to] });
  }

  graphInput(name: string, dtype: DType, shape: Shape): void {
    this.inputs.push({ name, dtype, shape });
  }

  /** Writes out the type of a result: sizes that only a run shows by name, or what ONNX Runtime cannot know. */
  named({ name, dtype, shape }: OnnxValueInfo): void {
    this.values.push({ name, dtype, shape });
  }

  externalInitializer(name: string, dtype: DType, shape: Shape, data: ExternalData): void {
    this.initializers.push({ name, dtype, shape, data });
  }

  initializer(name: string, dtype: DType, shape: Shape, data: readonly number[]): void {
    this.initializers.push({ name, dtype, shape, data: encodeElements(dtype, data) });
  }

  /** The name of a constant int64 vector, shared by all nodes that ask for the same one. */
  integers(values: readonly number[]): string {
    const name = `int64(${values.join(',')})`;
    if (!this.#shared.has(name)) {
      this.#shared.add(name);
      this.initializer(name, 'int64', [values.length], values);
    }
    return name;
  }

  /**
   * A constant target shape for Reshape or Expand. Of symbolic sizes, those that the source has at
   * the same axis become 0 (copy) and one other may become -1 (infer).
   */
  shape(target: Shape, source: Shape): string {
    let inferred = 0;
    const sizes = target.map((dim, axis) => {
      if (typeof dim === 'number') return dim;
      if (source[axis] === dim) return 0;
      inferred++;
      return -1;
    });
    if (inferred > 1) {
      throw new TypeError(`[${target.join(', ')}] has more than one size to infer`);
    }
    return this.integers(sizes);
  }

  /** The name of a constant that is one number throughout, shared by all nodes that ask for it. */
  filled(dtype: DType, shape: readonly number[], number: number): string {
    const name = `${dtype}[${shape.join(',')}](${number})`;
    if (!this.#shared.has(name)) {
      this.#shared.add(name);
      this.initializer(name, dtype, shape, Array(shape.reduce((a, b) => a * b, 1)).fill(number));
    }
    return name;
  }

  /** A node that makes zeros; its shape must be known. */
  zeros(name: string, dtype: DType, shape: Shape): void {
    this.node('Expand', [this.filled(dtype, [], 0), this.integers(shape.map(Number))], [name]);
  }
}

/** Little-endian bytes of numbers in an element type. */
function encodeElements(dtype: DType, data: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(data.length * DTYPE_BYTES[dtype]);
  const view = new DataView(bytes.buffer);
  const write = elementWriter(view, dtype);
  data.forEach((item, i) => {
    write(i * DTYPE_BYTES[dtype], item);
  });
  return bytes;
}

function elementWriter(view: DataView, dtype: DType): (offset: number, item: number) => void {
  switch (dtype) {
    case 'float32':
      return (offset, item) => view.setFloat32(offset, item, true);
    case 'float64':
      return (offset, item) => view.setFloat64(offset, item, true);
    case 'int64':
      return (offset, item) => view.setBigInt64(offset, BigInt(item), true);
    case 'int32':
      return (offset, item) => view.setInt32(offset, item, true);
    case 'uint8':
    case 'bool':
      return (offset, item) => view.setUint8(offset, item);
    case 'int8':
      return (offset, item) => view.setInt8(offset, item);
    case 'float16':
    case 'bfloat16':
      throw new TypeError(`constants of type ${dtype} are not written`);
  }
}
