import type { ErrorCode } from '../errors.ts';
import type { ConfigPath } from './config-error.ts';

/** Nobody reads on after so many mistakes of one kind, and each that is listed takes time. */
export const MAX_PROBLEMS = 100;

/** A mistake at a path of the configuration, not yet located in a file. */
export interface PathProblem {
  readonly path: ConfigPath;
  /** Whether the key or its value is to be shown to the user. */
  readonly part: 'key' | 'value';
  readonly code: ErrorCode;
  /** Begins in lower case and has no full stop, to be read after `file:line:`. */
  readonly message: string;
  /** Changes of which each solves the problem, the likeliest first; none where a person must decide. */
  readonly remedies?: readonly Remedy[];
}

/** A change to the configuration. */
export type Remedy =
  /** Gives a value, whether the key is there already or not; several at once where they belong together. */
  | {
      readonly kind: 'set';
      readonly values: readonly Setting[];
      /** Keys that mean nothing beside these values. */
      readonly removes?: readonly ConfigPath[];
      /** What that means, where it is more than its values say. */
      readonly title?: string;
    }
  /** Gives a key another name, or another section where the new path says so. */
  | { readonly kind: 'rename'; readonly path: ConfigPath; readonly to: ConfigPath }
  | { readonly kind: 'remove'; readonly path: ConfigPath };

/** A value and its place in the configuration. */
export interface Setting {
  readonly path: ConfigPath;
  readonly value: unknown;
}

/** The remedy that sets one value. */
export function setValue(path: ConfigPath, value: unknown): Remedy {
  return { kind: 'set', values: [{ path, value }] };
}
