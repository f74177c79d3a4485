import path from 'node:path';
import { run, TinyRuns } from '../engine/train/tiny-run.ts';
import { tempFolder } from './temp-folder.ts';

/** A folder with a tiny model and, as `my-adapter`, an adapter with which it writes something else. */
export async function folderWithAdapter(): Promise<string> {
  const folder = await tempFolder();
  const tiny = await TinyRuns.create(folder);
  const output = path.join(folder, 'my-adapter');
  await run(tiny.config({ training: { max_steps: 10, learning_rate: 0.1, output_dir: output } }));
  return folder;
}
