import { LorafaError } from '../errors.ts';
import { formatShape, numElements } from '../graph/dim.ts';
import type { Device } from './device.ts';

/**
 * float32 numbers that stay where they are computed with, from run to run: weights that are trained, and
 * what an optimizer keeps. Sessions of the same device read and write them in place (`Session.run`).
 * Whoever makes one releases it; what is done with one after its release, or with the wrong number of
 * numbers, throws LorafaError `internal.graph`.
 */
export abstract class StateTensor {
  /** Where sessions have to compute to be given this tensor. */
  abstract readonly device: Device;
  readonly shape: readonly number[];

  protected constructor(shape: readonly number[]) {
    this.shape = shape;
  }

  /** Number of elements. */
  get length(): number {
    return Number(numElements(this.shape));
  }

  /** The numbers, row-major: on the host the tensor's own array, elsewhere a copy. */
  abstract read(): Float32Array;

  /** Takes other numbers, as many as there are. */
  abstract write(values: Float32Array): void;

  /** Takes the numbers of another tensor, as many as there are. */
  abstract copyFrom(other: StateTensor): void;

  /** Makes all numbers zero. */
  abstract clear(): void;

  /**
   * A tensor over some of the numbers, from the first-th on: what is written to one is in the other. It
   * goes with this one, and is not released itself.
   */
  abstract part(first: number, shape: readonly number[]): StateTensor;

  /** Frees the memory; calling it again does nothing. */
  abstract release(): void;

  protected requireLength(values: Float32Array): void {
    if (values.length === this.length) return;
    throw this.misuse(`was given ${values.length} numbers`);
  }

  protected requireInside(first: number, shape: readonly number[]): void {
    const end = first + Number(numElements(shape));
    if (first >= 0 && end <= this.length) return;
    throw this.misuse(`was asked for its numbers ${first} to ${end}`);
  }

  protected misuse(what: string): LorafaError {
    return new LorafaError(
      'internal.graph',
      `a tensor of the shape ${formatShape(this.shape)} ${what}`,
    );
  }
}
