import path from 'node:path';
// ONNX Runtime reports to its maker unless this is loaded first.
import '../../../engine/runtime/onnx-runtime.ts';
import type { InferenceSession, Tensor } from 'onnxruntime-node';

const { InferenceSession: Sessions, Tensor: Tensors } = await import('onnxruntime-node');

/** A decoder as a program of others runs it: through the package of ONNX Runtime, with all of its optimizations. */
export class OnnxProgram {
  readonly #session: InferenceSession;

  private constructor(session: InferenceSession) {
    this.#session = session;
  }

  /** @param folder that was exported */
  static async load(folder: string, model = 'model.onnx'): Promise<OnnxProgram> {
    const options = { intraOpNumThreads: 1, logSeverityLevel: 3 } as const;
    return new OnnxProgram(await Sessions.create(path.join(folder, 'onnx', model), options));
  }

  get inputs(): readonly InferenceSession.ValueMetadata[] {
    return this.#session.inputMetadata;
  }

  get outputs(): readonly InferenceSession.ValueMetadata[] {
    return this.#session.outputMetadata;
  }

  /**
   * Reads a batch of texts in runs of so many tokens, the cache handed from one to the next.
   *
   * @param ids and mask `[rows, length]`
   * @returns the logits of each text, `[length, vocab]`
   */
  async read(
    ids: readonly (readonly number[])[],
    mask: readonly (readonly number[])[],
    size: number,
  ): Promise<number[][]> {
    const [rows, length] = [ids.length, ids[0]!.length];
    const int64 = (table: readonly (readonly number[])[]): Tensor =>
      new Tensors('int64', BigInt64Array.from(table.flat(), BigInt), [rows, table[0]!.length]);
    const positions = mask.map((row) => {
      let next = -1;
      return row.map((real) => (real === 0 ? 1 : ++next));
    });
    let cache = this.#emptyCache(rows);
    const logits = ids.map((): number[] => []);
    for (let from = 0; from < length; from += size) {
      const to = Math.min(from + size, length);
      const part = (table: readonly (readonly number[])[]): number[][] =>
        table.map((row) => row.slice(from, to));
      const outputs = await this.#session.run({
        input_ids: int64(part(ids)),
        attention_mask: int64(mask.map((row) => row.slice(0, to))),
        position_ids: int64(part(positions)),
        ...cache,
      });
      textsOf(outputs['logits']!).forEach((values, row) => {
        logits[row]!.push(...values);
      });
      cache = Object.fromEntries(
        Object.keys(cache).map((name) => [
          name,
          outputs[name.replace('past_key_values', 'present')]!,
        ]),
      );
    }
    return logits;
  }

  async release(): Promise<void> {
    await this.#session.release();
  }

  #emptyCache(rows: number): Record<string, Tensor> {
    const caches = this.inputs.filter(({ name }) => name.startsWith('past_key_values'));
    return Object.fromEntries(
      caches.map((input) => {
        const [, heads, , headDim] = (input as InferenceSession.TensorValueMetadata).shape;
        const shape = [rows, Number(heads), 0, Number(headDim)];
        return [input.name, new Tensors('float32', new Float32Array(0), shape)];
      }),
    );
  }
}

/** `[rows, tokens, vocab]`, text by text. */
function textsOf({ data, dims: [rows] }: Tensor): Float32Array[] {
  const values = data as Float32Array;
  const size = values.length / rows!;
  return Array.from({ length: rows! }, (_, row) => values.subarray(row * size, (row + 1) * size));
}
