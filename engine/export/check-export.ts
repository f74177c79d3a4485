import { LorafaError } from '../errors.ts';
import { widenTensor } from '../formats/tensor-data.ts';
import { BYTES_PER_ELEMENT, formatShape } from '../formats/tensor-location.ts';
import type { BaseModel } from '../models/base-model.ts';
import { loadTokenizer } from '../tokenizer/tokenizer.ts';
import type { ExportProgress } from './export-format.ts';
import type { ExportSource } from './export-source.ts';
import {
  type AnyTensor,
  type CopiedTensor,
  isOfFloats,
  type ModelTensor,
  rounded,
} from './model-tensor.ts';

/** By how much a value that was read may differ from the one that was meant, whose piece is given. */
export type Tolerance = (meant: Float32Array) => (index: number) => number;

/**
 * Compares tensors that were read back with those that were meant: names, shapes, and every value, rounded to
 * the type that it is stored in, or byte for byte where it is not of floats.
 *
 * @param tolerance for tensors whose values are not just rounded; undefined for those that are
 * @throws LorafaError `export.wrong_values`
 */
export async function checkTensors(
  file: string,
  meant: readonly AnyTensor[],
  read: readonly AnyTensor[],
  progress: ExportProgress,
  tolerance: (name: string) => Tolerance | undefined = () => undefined,
): Promise<void> {
  const byName = new Map(read.map((tensor) => [tensor.name, tensor]));
  if (byName.size !== meant.length) {
    throw wrong(file, `holds ${byName.size} tensors where ${meant.length} were written`);
  }
  for (const tensor of meant) {
    const found = byName.get(tensor.name);
    if (found === undefined || formatShape(found.shape) !== formatShape(tensor.shape)) {
      const shape =
        found === undefined ? 'is missing' : `has the shape ${formatShape(found.shape)}`;
      throw wrong(file, `tensor "${tensor.name}" ${shape}`);
    }
    if (isOfFloats(tensor) && isOfFloats(found)) {
      await compare(file, tensor, found, progress, tolerance(tensor.name));
    } else if (!isOfFloats(tensor) && !isOfFloats(found) && tensor.dtype === found.dtype) {
      await compareBytes(file, tensor, found, progress);
    } else {
      throw wrong(file, `tensor "${tensor.name}" is of type ${found.dtype}`);
    }
  }
}

async function compare(
  file: string,
  meant: ModelTensor,
  read: ModelTensor,
  progress: ExportProgress,
  tolerance: Tolerance | undefined,
): Promise<void> {
  const found = read.rows()[Symbol.asyncIterator]();
  let rest = new Float32Array(0);
  try {
    for await (const values of meant.rows()) {
      const expected = tolerance ? values : widened(meant, values);
      const allowed = tolerance?.(values);
      for (let at = 0; at < expected.length; ) {
        if (rest.length === 0) {
          const next = await found.next();
          if (next.done) throw wrong(file, `tensor "${meant.name}" ends early`);
          rest = next.value as Float32Array<ArrayBuffer>;
        }
        const length = Math.min(rest.length, expected.length - at);
        for (let i = 0; i < length; i++) {
          if (rest[i] === expected[at + i]) continue;
          const difference = Math.abs(rest[i]! - expected[at + i]!);
          if (difference <= (allowed?.(at + i) ?? 0) || Object.is(rest[i], expected[at + i]))
            continue;
          throw wrong(
            file,
            `tensor "${meant.name}" holds ${rest[i]} where ${expected[at + i]} was meant`,
          );
        }
        rest = rest.subarray(length);
        at += length;
      }
      progress(values.length);
    }
  } finally {
    await found.return?.();
  }
}

/** Both are cut into pieces alike, as they have as many bytes. */
async function compareBytes(
  file: string,
  { name, dtype, pieces }: CopiedTensor,
  read: CopiedTensor,
  progress: ExportProgress,
): Promise<void> {
  const found = read.pieces()[Symbol.asyncIterator]();
  try {
    for await (const bytes of pieces()) {
      const next = await found.next();
      if (next.done || Buffer.compare(bytes, next.value) !== 0) {
        throw wrong(file, `tensor "${name}" is not the one that was copied`);
      }
      progress(bytes.byteLength / BYTES_PER_ELEMENT[dtype]);
    }
  } finally {
    await found.return?.();
  }
}

/** Values as they are after they were stored. */
function widened({ name, dtype }: ModelTensor, values: Float32Array): Float32Array {
  return dtype === 'F32' ? values : widenTensor(dtype, rounded(name, dtype, values));
}

/** Of several scripts, with what tokenizers cut in different ways. */
const PROBE =
  "It's 12345 o'clock: naïve  spaces,\n\tGrüße, 你好, привет, 🙂 — def f(x): return x**2";

/**
 * Makes sure that a text becomes the same tokens as with the tokenizer that was meant.
 *
 * @throws LorafaError `export.wrong_values`
 */
export function checkTokenizer(
  file: string,
  { tokenizer, base }: ExportSource,
  read: Pick<BaseModel, 'tokenizer' | 'config'>,
): void {
  const options = { addSpecialTokens: true };
  const [expected, found] = [
    loadTokenizer(tokenizer, base.config),
    loadTokenizer(read.tokenizer, read.config),
  ].map((each) => tokensOf(each, options));
  if (expected === found) return;
  throw wrong(file, 'cuts a text into other tokens than the tokenizer of the model does');
}

function tokensOf(
  tokenizer: ReturnType<typeof loadTokenizer>,
  options: { readonly addSpecialTokens: boolean },
): string {
  try {
    return tokenizer.encode(PROBE, options).join();
  } catch (error) {
    // A vocabulary without tokens for all of it has them in neither.
    if (error instanceof LorafaError) return error.code;
    throw error;
  }
}

/** What was written is not what was meant: a defect of this project. */
export function wrong(file: string, problem: string): LorafaError {
  return new LorafaError(
    'export.wrong_values',
    `What was exported is not what was meant: ${problem}; it was removed, so report this with the name of the model.`,
    { location: { file } },
  );
}
