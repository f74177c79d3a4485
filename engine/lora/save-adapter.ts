import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { writeFileAtomic } from '../files/atomic-file.ts';
import { copyFile } from '../files/create-file.ts';
import { addFolder, moveFile } from '../files/folders.ts';
import { removeFolder } from '../files/remove.ts';
import { writeSafetensors } from '../formats/safetensors-writer.ts';
import { CHAT_TEMPLATE_FILE } from '../tokenizer/tokenizer-files.ts';
import {
  ADAPTER_CONFIG_FILE,
  ADAPTER_FILES,
  ADAPTER_WEIGHTS_FILE,
  type Adapter,
  adapterTensors,
  CARD_FILE,
  CURVE_FILE,
} from './adapter.ts';
import { type AdapterBase, adapterConfigJson } from './adapter-config.ts';

/** Folder, in that of the adapter, in which the files are made before they take their places. */
export const STAGING_FOLDER = '.adapter.tmp';

/**
 * Saves an adapter as PEFT does: `adapter_config.json` and `adapter_model.safetensors` (float32), and
 * as transformers does, `chat_template.jinja`. An adapter that is in the folder already is replaced;
 * other files stay.
 *
 * @param base The base model, for whoever loads the adapter.
 * @param chatTemplate The template that it was trained with, where that is not the base model's own.
 * @throws LorafaError `output.not_writable`.
 */
export async function saveAdapter(
  folder: string,
  { config, modules, weights }: Adapter,
  base: AdapterBase,
  chatTemplate?: string,
): Promise<void> {
  await placeAdapter(folder, async (staging) => {
    const tensors = modules.flatMap(adapterTensors);
    await writeSafetensors(
      path.join(staging, ADAPTER_WEIGHTS_FILE),
      tensors.map(({ name, shape }) => ({ name, shape, dtype: 'F32', data: weights.get(name)! })),
      { format: 'pt' },
    );
    if (chatTemplate !== undefined) {
      await writeFileAtomic(path.join(staging, CHAT_TEMPLATE_FILE), chatTemplate);
    }
    const json = adapterConfigJson(config, modules, base);
    await writeFileAtomic(
      path.join(staging, ADAPTER_CONFIG_FILE),
      `${JSON.stringify(json, null, 2)}\n`,
    );
  });
}

/** What goes with an adapter where it is there: how it was asked, and what its maker says of it. */
const FILES_BESIDE = [CHAT_TEMPLATE_FILE, CARD_FILE, CURVE_FILE];

/**
 * Copies the files of an adapter from another folder, in place of those that are there. What only training
 * needs, as the optimizer's state in a checkpoint, stays behind.
 *
 * @throws LorafaError `output.not_writable`; `adapter.corrupt` when one cannot be read
 */
export async function copyAdapter(source: string, folder: string): Promise<void> {
  await placeAdapter(folder, async (staging) => {
    const present = new Set(await readdir(source));
    const beside = FILES_BESIDE.filter((file) => present.has(file));
    for (const file of [...ADAPTER_FILES, ...beside]) {
      await copyFile(path.join(source, file), path.join(staging, file), 'adapter.corrupt');
    }
  });
}

/**
 * All files are complete before any takes its place, and the configuration comes last (the one
 * it replaces goes first), so that at no moment they do not belong together.
 */
async function placeAdapter(
  folder: string,
  make: (staging: string) => Promise<void>,
): Promise<void> {
  const staging = path.join(folder, STAGING_FOLDER);
  await addFolder(folder);
  await removeFolder(staging);
  await addFolder(staging);
  try {
    await make(staging);
    for (const file of [ADAPTER_CONFIG_FILE, CHAT_TEMPLATE_FILE]) {
      await removeFolder(path.join(folder, file));
    }
    const made = new Set(await readdir(staging));
    const beside = FILES_BESIDE.filter((file) => made.has(file));
    for (const file of [...beside, ...ADAPTER_FILES]) {
      await moveFile(path.join(staging, file), path.join(folder, file));
    }
  } finally {
    await removeFolder(staging);
  }
}
