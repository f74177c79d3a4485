import path from 'node:path';
import { readConfig } from '../../engine/config/parse.ts';
import { train } from '../../engine/train/train.ts';

/** Runs a configuration of a folder to its end, in this process. */
export async function trainConfig(folder: string, name: string): Promise<void> {
  await train(await readConfig(path.join(folder, `${name}.lorafa.json`)), {
    onEvent: () => undefined,
  });
}
