import path from 'node:path';
import { LorafaError } from '../errors.ts';
import { staticSize } from '../graph/dim.ts';
import { DTYPE_BYTES } from '../graph/dtype.ts';
import type { Graph } from '../graph/graph.ts';
import type { Value } from '../graph/value.ts';
import type { Pointer } from './c-api.ts';
import type { HostWeight } from './device-weights.ts';
import { HostValues } from './host-values.ts';
import { check, ort } from './onnx-runtime.ts';
import { SharedFile } from './shared-file.ts';

/**
 * The weights of one session over files that all sessions of the process share. On the CPU ONNX
 * Runtime computes with them where they are; devices with memory of their own get them from there once
 * (`DeviceWeights`). Where the system does not map a file, ONNX Runtime reads what the graph says about files
 * itself, for each session.
 */
export class SharedWeights {
  readonly #files = new Map<string, SharedFile>();
  readonly #values = new HostValues();
  #weights: HostWeight[] | undefined = [];

  private constructor() {}

  /** For a session that reads its weights itself. */
  static none(): SharedWeights {
    return new SharedWeights();
  }

  /**
   * Opens what a graph's weights lie in.
   *
   * @param folder of the files
   * @throws LorafaError `model.not_found` or `model.corrupt` where a file is not what it was
   */
  static of(graph: Graph, folder: string | undefined): SharedWeights {
    const weights = SharedWeights.none();
    if (folder === undefined) return weights;
    try {
      for (const value of graph.values) {
        if (isWeight(value)) weights.#add(value, folder);
      }
      return weights;
    } catch (error) {
      weights.release();
      throw error;
    }
  }

  /**
   * Gives the weights to a session that is to be made.
   *
   * @throws LorafaError `internal.graph` after the release
   */
  addTo(options: Pointer): void {
    for (const { name, address, bytes, dtype, shape } of this.mapped) {
      const value = this.#values.at(address, bytes, dtype, shape);
      check(ort.AddInitializer(options, name, value));
    }
  }

  /**
   * The weights that are in memory.
   *
   * @throws LorafaError `internal.graph` after the release
   */
  get mapped(): readonly HostWeight[] {
    return this.#given;
  }

  /** To be called when the session is gone; calling it again does nothing. */
  release(): void {
    this.#weights = undefined;
    this.#values.release();
    for (const file of this.#files.values()) file.release();
    this.#files.clear();
  }

  #add({ name, dtype, shape, attributes }: Value<'weight'>, folder: string): void {
    const { data, dtype: stored } = attributes;
    const dims = shape.map(Number);
    const bytes = staticSize(dims)! * DTYPE_BYTES[stored];
    if (bytes !== data.length) {
      throw new LorafaError(
        'internal.graph',
        `the weight ${name} has ${data.length} bytes where ${stored} [${dims.join(', ')}] has ${bytes}`,
      );
    }
    const file = this.#file(path.join(folder, data.file));
    const address = file.at(data.offset, bytes);
    if (address === undefined && dtype === stored) return;
    if (address === undefined) {
      throw new LorafaError(
        'device.failed',
        `The weights ${path.join(folder, data.file)} cannot be mapped into memory, from where webgpu gets them; put the model on a local disk, or compute with another engine.device.`,
      );
    }
    const source = [file.key, data.offset, dtype, ...dims].join(' ');
    this.#given.push({ name, source, address, bytes, stored, dtype, shape: dims });
  }

  get #given(): HostWeight[] {
    if (this.#weights !== undefined) return this.#weights;
    throw new LorafaError('internal.graph', 'weights were given to a session after their release');
  }

  #file(name: string): SharedFile {
    const file = this.#files.get(name) ?? SharedFile.open(name);
    this.#files.set(name, file);
    return file;
  }
}

function isWeight(value: Value): value is Value<'weight'> {
  return value.op === 'weight';
}
