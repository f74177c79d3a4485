import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parseConfig } from '../../../engine/config/parse.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { writeTinyModel } from '../../support/tiny-model-folder.ts';

/** Keys of some sections, beside those of {@link tinyConfig}. */
export interface Sections {
  readonly training?: object;
  readonly lora?: object;
  readonly data?: object;
  readonly engine?: object;
}

/** The configuration of a run of the tiny model over 20 rows, in a folder of its own. */
export async function tinyConfig({ training, lora, data, engine }: Sections = {}) {
  const folder = await tempFolder();
  await writeTinyModel(path.join(folder, 'model'));
  const rows = Array.from({ length: 20 }, (_, index) => ({
    prompt: `What is ${index}?`,
    completion: 'A number. '.repeat(1 + (index % 4)),
  }));
  await writeFile(
    path.join(folder, 'rows.jsonl'),
    rows.map((row) => JSON.stringify(row)).join('\n'),
  );
  const config = parseConfig(
    JSON.stringify({
      model: { base_model_name_or_path: 'model' },
      data: { dataset_name_or_path: 'rows.jsonl', pad_to_multiple_of: 16, ...data },
      lora: { r: 4, ...lora },
      training: { output_dir: 'out', per_device_train_batch_size: 3, ...training },
      engine: { device: 'cpu', ...engine },
    }),
    path.join(folder, 'run.lorafa.json'),
  );
  return { folder, config };
}
