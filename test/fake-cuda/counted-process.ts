import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { bundledProgram } from '../support/bundled-program.ts';
import type { FakeCuda } from './fake-cuda.ts';

/** How a program on the stand-in ended. */
export interface Outcome {
  /** Lines that it printed, as JSON. */
  readonly lines: readonly unknown[];
  readonly stderr: string;
  /** Its exit code, or the signal that ended it. */
  readonly end: number | string;
}

/** A program of this folder, bundled and ready to run on the stand-in. */
export class CountedProgram {
  readonly #file: string;
  readonly #fake: FakeCuda;

  private constructor(file: string, fake: FakeCuda) {
    this.#file = file;
    this.#fake = fake;
  }

  static async bundle(fake: FakeCuda, name: string): Promise<CountedProgram> {
    const entry = path.join(import.meta.dirname, name);
    const file = await bundledProgram(entry, ['koffi', 'onnxruntime-node']);
    const folder = path.dirname(file);
    await fake.install(folder);
    // The product tries a device out before it trains on it, and would refuse one that computes nothing.
    await writeFile(path.join(folder, 'probe-device.js'), '');
    return new CountedProgram(file, fake);
  }

  async run(
    args: readonly string[] = [],
    environment: Readonly<Record<string, string>> = {},
  ): Promise<Outcome> {
    const env = { ...process.env, ...this.#fake.environment, ...environment };
    const options = { env, maxBuffer: 2 ** 26 };
    const { stdout, stderr, end } = await promisify(execFile)(
      process.execPath,
      [this.#file, ...args],
      options,
    ).then(
      (printed) => ({ ...printed, end: 0 }),
      ({ stdout, stderr, code, signal }) => ({ stdout, stderr, end: code ?? signal }),
    );
    const lines = (stdout as string).split('\n').filter((line) => line !== '');
    return { lines: lines.map((line) => JSON.parse(line)), stderr, end };
  }
}
