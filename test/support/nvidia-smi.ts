import { appendFile, chmod, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { onTestFinished, vi } from 'vitest';
import { tempFolder } from './temp-folder.ts';

/**
 * A program called `nvidia-smi` before all others in the PATH, of this process and of those that it starts: it answers
 * as the driver's does, with what a test tells it, until that ends.
 */
export class NvidiaSmi {
  readonly #lines: string;
  readonly #calls: string;

  private constructor(folder: string) {
    this.#lines = path.join(folder, 'lines');
    this.#calls = path.join(folder, 'calls');
  }

  /** @param lines see {@link tell} */
  static async install(...lines: readonly string[]): Promise<NvidiaSmi> {
    const folder = await tempFolder();
    const program = new NvidiaSmi(folder);
    await appendFile(program.#calls, '');
    await program.tell(...lines);
    const file = path.join(folder, 'nvidia-smi');
    const script = `echo >> '${program.#calls}'\nexec cat '${program.#lines}'\n`;
    await writeFile(file, `#!/bin/sh\n${script}`);
    await chmod(file, 0o755);
    vi.stubEnv('PATH', `${folder}:${process.env['PATH']}`);
    onTestFinished(() => void vi.unstubAllEnvs());
    return program;
  }

  /** Answers with these lines from now on, one for each GPU, with the columns of `nvidia-smi.ts`. */
  async tell(...lines: readonly string[]): Promise<void> {
    await writeFile(`${this.#lines}.new`, `${lines.join('\n')}\n`);
    await rename(`${this.#lines}.new`, this.#lines);
  }

  /** Fails from now on, as without a driver. */
  async fail(): Promise<void> {
    await rm(this.#lines, { force: true });
  }

  /** How often it was asked. */
  async asked(): Promise<number> {
    return (await readFile(this.#calls, 'utf8')).length;
  }
}
