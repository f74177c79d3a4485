import { LorafaError } from '../errors.ts';
import type { GgufPart } from './gguf-part.ts';

/**
 * Typed access to the metadata of a GGUF file.
 *
 * Every method throws LorafaError `model.corrupt`, naming file and key, for a value of another kind
 * than asked for, and returns undefined for a key that is not there.
 */
export class GgufMetadata {
  readonly #gguf: GgufPart;

  constructor(gguf: GgufPart) {
    this.#gguf = gguf;
  }

  string(key: string): string | undefined {
    return this.#read(key, 'a text', (value) => (typeof value === 'string' ? value : undefined));
  }

  boolean(key: string): boolean | undefined {
    return this.#read(key, 'true or false', (value) =>
      typeof value === 'boolean' ? value : undefined,
    );
  }

  number(key: string): number | undefined {
    return this.#read(key, 'one number', (value) => {
      if (typeof value === 'bigint') return Number(value);
      return typeof value === 'number' ? shortest(value) : undefined;
    });
  }

  /**
   * A number of all layers, which some files have once for each of them.
   *
   * @throws LorafaError `model.unsupported` where layers differ
   */
  numberOfLayers(key: string): number | undefined {
    if (!Array.isArray(this.#gguf.metadata.get(key))) return this.number(key);
    const kinds = new Set(this.numbers(key));
    if (kinds.size === 1) return [...kinds][0];
    const { path } = this.#gguf;
    const found = `"${key}" is not the same in all layers`;
    throw new LorafaError('model.unsupported', `${path}: ${found}, which is not known here.`, {
      location: { file: path },
    });
  }

  strings(key: string): string[] | undefined {
    return this.#read(key, 'a list of texts', (value) =>
      Array.isArray(value) && value.every((item) => typeof item === 'string') ? value : undefined,
    );
  }

  numbers(key: string): number[] | undefined {
    return this.#read(key, 'a list of numbers', (value) =>
      Array.isArray(value) && value.every((item) => typeof item === 'number') ? value : undefined,
    );
  }

  booleans(key: string): boolean[] | undefined {
    return this.#read(key, 'a list of true and false', (value) =>
      Array.isArray(value) && value.every((item) => typeof item === 'boolean') ? value : undefined,
    );
  }

  #read<T>(key: string, kind: string, convert: (value: unknown) => T | undefined): T | undefined {
    const value: unknown = this.#gguf.metadata.get(key);
    if (value === undefined) return undefined;
    const converted = convert(value);
    if (converted !== undefined) return converted;
    throw new LorafaError('model.corrupt', `${this.#gguf.path}: "${key}" is not ${kind}.`, {
      location: { file: this.#gguf.path },
    });
  }
}

/** The shortest decimal with the same float32 value: 1e-5 rather than 9.999999747378752e-06. */
function shortest(value: number): number {
  if (Number.isInteger(value)) return value;
  for (let digits = 1; digits <= 9; digits++) {
    const rounded = Number(value.toPrecision(digits));
    if (Math.fround(rounded) === value) return rounded;
  }
  return value;
}
