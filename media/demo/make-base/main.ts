import os from 'node:os';
import path from 'node:path';
import { parseOverride } from '../../../engine/config/overrides.ts';
import { readConfig } from '../../../engine/config/parse.ts';
import { writeFileAtomic } from '../../../engine/files/atomic-file.ts';
import { copyFile } from '../../../engine/files/create-file.ts';
import { ensureFolder } from '../../../engine/files/folders.ts';
import { removeFolder } from '../../../engine/files/remove.ts';
import { train } from '../../../engine/train/train.ts';
import { runCommand } from '../../../server/cli/run-command.ts';
import { streamTarget } from '../../../server/cli/stream-target.ts';
import { textReport } from '../../../server/cli/train-report.ts';
import { corpusDocuments } from './corpus.ts';
import { evalRows, trainRows } from './instructions.ts';
import {
  DOCUMENTS,
  EVAL_ROWS,
  SEED,
  TOKENIZER_DOCUMENTS,
  TRAIN_ROWS,
  VOCAB_SIZE,
} from './settings.ts';
import { trainTokenizer } from './tokenizer.ts';
import { writeUntrainedModel } from './untrained-model.ts';

/*
 * Makes what the demo stands on, from nothing but the sources in this folder: the rows in
 * `media/demo/data` and the base model in `media/demo/base`. Run from the root of the repository
 * (`npm run demo:make-base`); the same machine makes the same files again.
 */

const DEMO = path.resolve('media', 'demo');

/** What the pre-training leaves in its output folder that makes a model. */
const MODEL_FILES = ['config.json', 'model.safetensors', 'tokenizer.json', 'tokenizer_config.json'];

await runCommand(false, async () => {
  await writeJsonLines(path.join(DEMO, 'data', 'train.jsonl'), trainRows(TRAIN_ROWS, SEED));
  await writeJsonLines(path.join(DEMO, 'data', 'eval.jsonl'), evalRows(EVAL_ROWS, SEED));
  const work = path.join(os.tmpdir(), `lorafa-demo-base-${process.pid}`);
  try {
    await pretrain(work);
  } finally {
    await removeFolder(work);
  }
});

/** Trains tokenizer and model in the folder `work` and puts them into `media/demo/base`. */
async function pretrain(work: string): Promise<void> {
  const untrained = path.join(work, 'untrained');
  const corpus = path.join(work, 'corpus.jsonl');
  const output = path.join(work, 'run');
  await ensureFolder(untrained);
  const texts = [...corpusDocuments(DOCUMENTS, SEED)];
  await writeJsonLines(
    corpus,
    texts.map((text) => ({ text })),
  );
  const tokenizer = trainTokenizer(texts.slice(0, TOKENIZER_DOCUMENTS), VOCAB_SIZE, untrained);
  await writeUntrainedModel(untrained, tokenizer, SEED);
  const config = await readConfig(path.join(DEMO, 'make-base', 'pretrain.lorafa.json'), [
    parseOverride(`model.base_model_name_or_path=${untrained}`),
    parseOverride(`data.dataset_name_or_path=${corpus}`),
    parseOverride(`training.output_dir=${output}`),
  ]);
  await train(config, { onEvent: textReport(streamTarget(process.stdout)) });
  const base = path.join(DEMO, 'base');
  await removeFolder(base);
  await ensureFolder(base);
  for (const name of MODEL_FILES) {
    await copyFile(path.join(output, name), path.join(base, name), 'model.not_found');
  }
}

function writeJsonLines(file: string, rows: readonly object[]): Promise<void> {
  return writeFileAtomic(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
}
