import koffi from 'koffi';
import { messageOf } from '../errors.ts';
import { type DType, ONNX_DATA_TYPE } from '../graph/dtype.ts';
import type { Pointer } from './c-api.ts';
import { cTexts } from './c-texts.ts';
import { check, create, ort } from './onnx-runtime.ts';

/** An op of ours, which sessions compute by calling back. */
export interface CustomOp {
  readonly name: string;
  /** Types of the inputs; the last of them may be left out where {@link isLastOptional}. */
  readonly inputs: readonly DType[];
  readonly isLastOptional?: boolean;
  /** Whether the output may be written over the first input, where nothing else reads that. */
  readonly isInPlace?: boolean;
  readonly output: DType;
  /** Called for each node when a session is made; `attribute` reads an integer of the node. */
  open(attribute: (name: string) => number): CustomKernel;
}

/** What computes one node of a session. */
export interface CustomKernel {
  /** Shape of the output. */
  readonly shape: readonly number[];
  /**
   * @param inputs addresses of the tensors; an input that is left out has none
   * @param bytesOf how many bytes such an input has, where its shape changes from run to run
   */
  compute(inputs: readonly Pointer[], output: Pointer, bytesOf: (index: number) => number): void;
  release(): void;
}

/** The version of `OrtCustomOp` that is filled in: the first that asks what is computed in place. */
const STRUCT_VERSION = 18;

/** The version and 25 functions, of which those that are null are not called. */
const STRUCT_SLOTS = 26;

/** `ORT_FAIL` */
const FAILED = 1;

/** `INPUT_OUTPUT_REQUIRED`, `INPUT_OUTPUT_OPTIONAL` */
const [REQUIRED, OPTIONAL] = [0, 1];

/**
 * Where calls put what a node asks for. V8 takes memory from the C library for every small array that native
 * code sees and gives it back much later: thousands of them in a step would lie between the step's own
 * blocks, which could then not use each other's places.
 */
const place = new BigUint64Array(new ArrayBuffer(8));

/** The index of the first input or output, in memory that never moves. */
const FIRST = new Int32Array(new ArrayBuffer(4));

/** What ONNX Runtime points at for as long as the process lives. */
const kept: unknown[] = [];

/** A kernel, and the shape of its output where native code can read it. */
interface OpenKernel extends Pick<CustomKernel, 'compute' | 'release'> {
  readonly dims: BigInt64Array;
}

const kernels = new Map<Pointer, OpenKernel>();
let lastKernel = 0n;

/**
 * A domain of ops that are computed by JavaScript, for `AddCustomOpDomain`; it stays until the process
 * ends. Sessions run on the thread that asks and compute nodes one after the other, so that a kernel
 * is called on JavaScript's own thread, inside of the call of `Run`.
 */
export function customOpDomain(name: string, ops: readonly CustomOp[]): Pointer {
  const domain = create((out) => ort.CreateCustomOpDomain(name, out));
  for (const op of ops) check(ort.CustomOpDomain_Add(domain, customOpStruct(op)));
  return domain;
}

/** `OrtCustomOp` of onnxruntime_c_api.h: a version, and functions by their places. */
function customOpStruct(op: CustomOp): BigUint64Array {
  const name = cTexts([op.name]);
  const nameAddress = name.addresses[0]!;
  const inputTypes = op.inputs.map((dtype) => ONNX_DATA_TYPE[dtype]);
  const inputType = (_op: Pointer, index: number | bigint): number => inputTypes[Number(index)]!;
  const characteristic = (_op: Pointer, index: number | bigint): number =>
    op.isLastOptional && Number(index) === op.inputs.length - 1 ? OPTIONAL : REQUIRED;
  const opened = (_op: Pointer, _api: Pointer, info: Pointer, out: Pointer): Pointer | null =>
    statusOf(() => {
      koffi.encode(out, 'void *', openKernel(op, info));
    });
  const computed = (kernel: Pointer, context: Pointer): Pointer | null =>
    statusOf(() => computeKernel(kernel, context, op.inputs.length));
  const functions: Readonly<Record<number, Pointer>> = {
    2: callback('void *', ['void *'], () => nameAddress),
    // The execution provider: the CPU's.
    3: callback('void *', ['void *'], () => null),
    4: callback('int', ['void *', 'size_t'], inputType),
    5: callback('size_t', ['void *'], () => inputTypes.length),
    6: callback('int', ['void *', 'size_t'], () => ONNX_DATA_TYPE[op.output]),
    7: callback('size_t', ['void *'], () => 1),
    9: callback('void', ['void *'], releaseKernel),
    10: callback('int', ['void *', 'size_t'], characteristic),
    11: callback('int', ['void *', 'size_t'], () => REQUIRED),
    // Memory of inputs: the default.
    12: callback('int', ['void *', 'size_t'], () => 0),
    17: callback('void *', ['void *', 'void *', 'void *', 'void *'], opened),
    18: callback('void *', ['void *', 'void *'], computed),
    ...(op.isInPlace && {
      22: callback('size_t', ['void *', 'void *'], sameMemory),
      23: callback('void', ['void *', 'void *'], () => undefined),
    }),
  };
  const struct = new BigUint64Array(STRUCT_SLOTS);
  struct[0] = BigInt(STRUCT_VERSION);
  for (const [slot, address] of Object.entries(functions)) struct[Number(slot)] = address;
  kept.push(name, struct);
  return struct;
}

/** `GetMayInplace`: the first output may lie where the first input does; in memory of our own. */
function sameMemory(inputs: Pointer, outputs: Pointer): number {
  for (const out of [inputs, outputs]) koffi.encode(out, 'void *', koffi.address(FIRST));
  return FIRST.length;
}

/** A function that native code may call until the process ends. */
function callback(
  result: string,
  parameters: string[],
  call: (...parameters: never[]) => unknown,
): Pointer {
  return koffi.register(call, koffi.pointer(koffi.proto(result, parameters))) as Pointer;
}

function openKernel(op: CustomOp, info: Pointer): Pointer {
  const value = new BigInt64Array(1);
  const kernel = op.open((name) => {
    check(ort.KernelInfoGetAttribute_int64(info, name, value));
    return Number(value[0]);
  });
  const dims = new BigInt64Array(new ArrayBuffer(8 * kernel.shape.length));
  dims.set(kernel.shape.map(BigInt));
  lastKernel++;
  kernels.set(lastKernel, { compute: kernel.compute, release: kernel.release, dims });
  return lastKernel;
}

function computeKernel(kernel: Pointer, context: Pointer, numInputs: number): void {
  const { dims, compute } = kernels.get(kernel)!;
  const inputs = Array.from({ length: numInputs }, (_, index) =>
    placed(ort.KernelContext_GetInput(context, index, place)),
  );
  const output = placed(ort.KernelContext_GetOutput(context, 0, dims, dims.length, place));
  const tensors = inputs.filter((input) => input !== 0n);
  const [result, ...given] = [output, ...tensors].map((tensor) =>
    placed(ort.GetTensorMutableData(tensor, place)),
  );
  compute(given, result!, (index) =>
    Number(placed(ort.GetTensorSizeInBytes(tensors[index]!, place))),
  );
}

/** What a call put into {@link place}. */
function placed(status: Pointer | null): Pointer {
  check(status);
  return place[0]!;
}

function releaseKernel(kernel: Pointer): void {
  kernels.get(kernel)?.release();
  kernels.delete(kernel);
}

/** Nothing may be thrown into native code: what goes wrong is told by a status. */
function statusOf(act: () => void): Pointer | null {
  try {
    act();
    return null;
  } catch (error) {
    return ort.CreateStatus(FAILED, messageOf(error));
  }
}
