import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { integer, message, text } from '../formats/protobuf-writer.ts';
import type { Dim, Shape } from '../graph/dim.ts';
import { type DType, ONNX_DATA_TYPE } from '../graph/dtype.ts';
import type { ExternalData } from '../graph/op.ts';

/** An attribute of an ONNX node; a plain number is an integer, a list is of integers. */
export type OnnxAttribute = number | readonly number[] | { float: number } | { text: string };

/** `NodeProto` */
export interface OnnxNode {
  readonly name: string;
  readonly opType: string;
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, OnnxAttribute>>;
}

/** `TensorProto`: the bytes themselves, or where they lie. */
export interface OnnxTensor {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: Shape;
  readonly data: Uint8Array | ExternalData;
}

/** `ValueInfoProto` of a tensor. */
export interface OnnxValueInfo {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: Shape;
}

/** `ModelProto`, as far as the engine writes it. */
export interface OnnxModel {
  readonly opsets: Readonly<Record<string, number>>;
  readonly nodes: readonly OnnxNode[];
  readonly initializers: readonly OnnxTensor[];
  readonly inputs: readonly OnnxValueInfo[];
  readonly outputs: readonly OnnxValueInfo[];
  /** Values in between whose sizes do not follow from those of others. */
  readonly values: readonly OnnxValueInfo[];
}

/** ONNX 1.17's intermediate representation, which opset 21 and 22 belong to. */
const IR_VERSION = 10;

/** Field numbers of the messages in onnx.proto that are written here. */
const FIELD = {
  model: { irVersion: 1, producerName: 2, graph: 7, opsetImport: 8 },
  opset: { domain: 1, version: 2 },
  graph: { node: 1, name: 2, initializer: 5, input: 11, output: 12, valueInfo: 13 },
  node: { input: 1, output: 2, name: 3, opType: 4, attribute: 5, domain: 7 },
  attribute: { name: 1, f: 2, i: 3, s: 4, ints: 8, type: 20 },
  tensor: { dims: 1, dataType: 2, name: 8, rawData: 9, externalData: 13, dataLocation: 14 },
  entry: { key: 1, value: 2 },
  valueInfo: { name: 1, type: 2 },
  type: { tensorType: 1 },
  tensorType: { elemType: 1, shape: 2 },
  shape: { dim: 1 },
  dim: { value: 1, param: 2 },
} as const;

const ATTRIBUTE_TYPE = { float: 1, int: 2, string: 3, ints: 7 } as const;
const DATA_LOCATION_EXTERNAL = 1;

/** Serialises a model as an ONNX protobuf. */
export function encodeModel(model: OnnxModel): Uint8Array {
  const writer = new BinaryWriter();
  integer(writer, FIELD.model.irVersion, IR_VERSION);
  text(writer, FIELD.model.producerName, 'lorafa');
  message(writer, FIELD.model.graph, () => {
    for (const node of model.nodes) {
      message(writer, FIELD.graph.node, () => writeNode(writer, node));
    }
    text(writer, FIELD.graph.name, 'lorafa');
    for (const tensor of model.initializers) {
      message(writer, FIELD.graph.initializer, () => writeTensor(writer, tensor));
    }
    for (const input of model.inputs) {
      message(writer, FIELD.graph.input, () => writeValueInfo(writer, input));
    }
    for (const output of model.outputs) {
      message(writer, FIELD.graph.output, () => writeValueInfo(writer, output));
    }
    for (const value of model.values) {
      message(writer, FIELD.graph.valueInfo, () => writeValueInfo(writer, value));
    }
  });
  for (const [domain, version] of Object.entries(model.opsets)) {
    message(writer, FIELD.model.opsetImport, () => {
      text(writer, FIELD.opset.domain, domain);
      integer(writer, FIELD.opset.version, version);
    });
  }
  return writer.finish();
}

function writeNode(writer: BinaryWriter, node: OnnxNode): void {
  for (const input of node.inputs) text(writer, FIELD.node.input, input);
  for (const output of node.outputs) text(writer, FIELD.node.output, output);
  text(writer, FIELD.node.name, node.name);
  text(writer, FIELD.node.opType, node.opType);
  for (const [name, attribute] of Object.entries(node.attributes)) {
    message(writer, FIELD.node.attribute, () => writeAttribute(writer, name, attribute));
  }
  if (node.domain !== '') text(writer, FIELD.node.domain, node.domain);
}

function writeAttribute(writer: BinaryWriter, name: string, attribute: OnnxAttribute): void {
  text(writer, FIELD.attribute.name, name);
  const type = (value: number): void => integer(writer, FIELD.attribute.type, value);
  if (typeof attribute === 'number') {
    integer(writer, FIELD.attribute.i, attribute);
    type(ATTRIBUTE_TYPE.int);
  } else if ('float' in attribute) {
    writer.tag(FIELD.attribute.f, WireType.Bit32).float(attribute.float);
    type(ATTRIBUTE_TYPE.float);
  } else if ('text' in attribute) {
    text(writer, FIELD.attribute.s, attribute.text);
    type(ATTRIBUTE_TYPE.string);
  } else {
    for (const item of attribute) integer(writer, FIELD.attribute.ints, item);
    type(ATTRIBUTE_TYPE.ints);
  }
}

function writeTensor(writer: BinaryWriter, tensor: OnnxTensor): void {
  for (const dim of tensor.shape) integer(writer, FIELD.tensor.dims, Number(dim));
  integer(writer, FIELD.tensor.dataType, ONNX_DATA_TYPE[tensor.dtype]);
  text(writer, FIELD.tensor.name, tensor.name);
  const { data } = tensor;
  if (data instanceof Uint8Array) {
    writer.tag(FIELD.tensor.rawData, WireType.LengthDelimited).bytes(data);
    return;
  }
  const entries = { location: data.file, offset: String(data.offset), length: String(data.length) };
  for (const [key, value] of Object.entries(entries)) {
    message(writer, FIELD.tensor.externalData, () => {
      text(writer, FIELD.entry.key, key);
      text(writer, FIELD.entry.value, value);
    });
  }
  integer(writer, FIELD.tensor.dataLocation, DATA_LOCATION_EXTERNAL);
}

function writeValueInfo(writer: BinaryWriter, { name, dtype, shape }: OnnxValueInfo): void {
  text(writer, FIELD.valueInfo.name, name);
  message(writer, FIELD.valueInfo.type, () => {
    message(writer, FIELD.type.tensorType, () => {
      integer(writer, FIELD.tensorType.elemType, ONNX_DATA_TYPE[dtype]);
      message(writer, FIELD.tensorType.shape, () => {
        for (const dim of shape) {
          message(writer, FIELD.shape.dim, () => writeDim(writer, dim));
        }
      });
    });
  });
}

function writeDim(writer: BinaryWriter, dim: Dim): void {
  if (typeof dim === 'number') integer(writer, FIELD.dim.value, dim);
  else text(writer, FIELD.dim.param, dim);
}
