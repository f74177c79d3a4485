import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { GraphBuilder } from '../../../engine/graph/builder.ts';
import { writeOnnx } from '../../../engine/onnx/writer.ts';
import { Session } from '../../../engine/runtime/session.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { type Message, messages, numbers, readMessage, texts } from './protobuf-reader.ts';

/** Field numbers as onnx.proto has them, written down a second time on purpose. */
const MODEL = { irVersion: 1, producer: 2, graph: 7, opset: 8 };
const GRAPH = { node: 1, name: 2, initializer: 5, input: 11, output: 12 };
const NODE = { input: 1, output: 2, name: 3, opType: 4, attribute: 5 };
const ATTRIBUTE = { name: 1, f: 2, i: 3, s: 4, ints: 8, type: 20 };
const TENSOR = { dims: 1, dataType: 2, name: 8, raw: 9, external: 13, location: 14 };

function example() {
  const b = new GraphBuilder();
  const x = b.input('x', 'float32', ['rows', 4]);
  const weight = b.weight('w', 'bfloat16', [3, 4], {
    file: 'm.safetensors',
    offset: 80,
    length: 24,
  });
  const product = b.scope('layer', () =>
    b.gemm(x, b.cast(weight, 'float32'), { transB: true, alpha: 0.25 }),
  );
  const y = b.transpose(
    b.reshape(b.reduceSum(b.add(product, b.scalar(2)), [1]), ['rows', 1, 1]),
    [1, 0, 2],
  );
  return b.finish({ y });
}

const parsed = (): Message => readMessage(writeOnnx(example()));
const graphOf = (model: Message): Message => messages(model, MODEL.graph)[0]!;

describe('an ONNX model', () => {
  test('names its format, opset and maker', () => {
    const model = parsed();
    expect(numbers(model, MODEL.irVersion)).toEqual([10]);
    expect(texts(model, MODEL.producer)).toEqual(['lorafa']);
    const [opset] = messages(model, MODEL.opset);
    expect([texts(opset!, 1), numbers(opset!, 2)]).toEqual([[''], [21]]);
  });

  test("names the opset of ONNX Runtime's own ops where there is one of them", () => {
    const b = new GraphBuilder();
    const codes = b.constant([0x70], [1], 'uint8');
    const y = b.dequantizeNf4(codes, b.constant([1], [1]), { inFeatures: 1, outFeatures: 1 });
    const opsets = messages(readMessage(writeOnnx(b.finish({ y }))), MODEL.opset);
    expect(opsets.map((opset) => [texts(opset, 1), numbers(opset, 2)])).toEqual([
      [[''], [21]],
      [['com.microsoft'], [1]],
    ]);
  });

  test('lists its nodes in exact reverse of the order of the graph', () => {
    const nodes = messages(graphOf(parsed()), GRAPH.node);
    expect(nodes.map((node) => texts(node, NODE.opType)[0])).toEqual(
      ['Cast', 'Gemm', 'Add', 'ReduceSum', 'Reshape', 'Transpose'].toReversed(),
    );
    const outputs = nodes.flatMap((node) => texts(node, NODE.output));
    for (const [index, node] of nodes.entries()) {
      // What a node reads stands behind it, or is no node's.
      for (const input of texts(node, NODE.input)) {
        expect(outputs.indexOf(input) === -1 || outputs.indexOf(input) > index).toBe(true);
      }
    }
  });

  test('has attributes of each kind', () => {
    const nodes = messages(graphOf(parsed()), GRAPH.node);
    const attributes = (op: string) => {
      const node = nodes.find((each) => texts(each, NODE.opType)[0] === op)!;
      return new Map(messages(node, NODE.attribute).map((a) => [texts(a, ATTRIBUTE.name)[0], a]));
    };
    const gemm = attributes('Gemm');
    expect(numbers(gemm.get('transB')!, ATTRIBUTE.i)).toEqual([1]);
    expect(numbers(gemm.get('alpha')!, ATTRIBUTE.f)).toEqual([0.25]);
    expect(numbers(gemm.get('alpha')!, ATTRIBUTE.type)).toEqual([1]);
    expect(numbers(attributes('Transpose').get('perm')!, ATTRIBUTE.ints)).toEqual([1, 0, 2]);
    expect(numbers(attributes('Cast').get('to')!, ATTRIBUTE.i)).toEqual([1]);
  });

  test('points at weights where they lie and holds small constants itself', () => {
    const tensors = new Map(
      messages(graphOf(parsed()), GRAPH.initializer).map((t) => [texts(t, TENSOR.name)[0], t]),
    );
    const weight = tensors.get('w')!;
    expect(numbers(weight, TENSOR.dims)).toEqual([3, 4]);
    expect(numbers(weight, TENSOR.dataType)).toEqual([16]);
    expect(numbers(weight, TENSOR.location)).toEqual([1]);
    expect(weight.has(TENSOR.raw)).toBe(false);
    const entries = messages(weight, TENSOR.external).map((e) => [texts(e, 1)[0], texts(e, 2)[0]]);
    expect(Object.fromEntries(entries)).toEqual({
      location: 'm.safetensors',
      offset: '80',
      length: '24',
    });
    const scalar = [...tensors].find(([name]) => name!.startsWith('constants/'))![1];
    expect(numbers(scalar, TENSOR.dims)).toEqual([]);
    expect(scalar.get(TENSOR.raw)![0]).toEqual(new Uint8Array(Float32Array.of(2).buffer));
  });

  test('declares inputs and outputs, symbolic sizes by name', () => {
    const shape = (info: Message) =>
      messages(messages(messages(info, 2)[0]!, 1)[0]!, 2).flatMap((dims) =>
        messages(dims, 1).map((dim) => numbers(dim, 1)[0] ?? texts(dim, 2)[0]),
      );
    const graph = graphOf(parsed());
    expect(messages(graph, GRAPH.input).map((i) => [texts(i, 1)[0], shape(i)])).toEqual([
      ['x', ['rows', 4]],
    ]);
    expect(messages(graph, GRAPH.output).map(shape)).toEqual([[1, 'rows', 1]]);
  });

  test('is the same bytes every time', () => {
    expect(writeOnnx(example())).toEqual(writeOnnx(example()));
  });
});

test('ONNX Runtime reads weights in the middle of a file, at their offset', async () => {
  const folder = await tempFolder();
  const bytes = new Uint8Array(100 + 16);
  new Float32Array(bytes.buffer, 100, 4).set([1, 2, 3, 4]);
  await writeFile(path.join(folder, 'w.safetensors'), bytes);
  const b = new GraphBuilder();
  const weight = b.weight('w', 'float32', [2, 2], {
    file: 'w.safetensors',
    offset: 100,
    length: 16,
  });
  const session = await Session.create(b.finish({ y: b.neg(weight) }), { weightsFolder: folder });
  expect([...(await session.run({}))['y']!.data]).toEqual([-1, -2, -3, -4]);
  await session.release();
});
