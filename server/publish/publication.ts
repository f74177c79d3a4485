import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { isHubInput } from '../../engine/config/resolve-paths.ts';
import { namedBase, requireWholeCheckpoint } from '../../engine/export/export-source.ts';
import type { UploadFile } from '../../engine/hub/upload-file.ts';
import { type JsonObject, readJsonFile } from '../../engine/json-file.ts';
import {
  ADAPTER_CONFIG_FILE,
  ADAPTER_WEIGHTS_FILE,
  CARD_FILE,
  CURVE_FILE,
} from '../../engine/lora/adapter.ts';
import { neededConfig } from '../../engine/lora/adapter-config.ts';
import { requireWholeAdapter } from '../../engine/lora/load-adapter.ts';
import { quote } from '../../engine/quote.ts';
import { CHAT_TEMPLATE_FILE } from '../../engine/tokenizer/tokenizer-files.ts';
import { publicName } from './card-facts.ts';
import { makeCard } from './card-files.ts';

/** What others are given of an adapter, and what to say of it. */
export interface Publication {
  readonly files: readonly UploadFile[];
  /** Sentences for people. */
  readonly notes: readonly string[];
}

/**
 * What of an adapter's folder is for others: the adapter, its chat template, its card with the picture. A base
 * model that lies on this machine is called by its name alone, in the adapter's configuration as well.
 *
 * @param repository `owner/name` that it will be in
 * @throws LorafaError `adapter.not_found`, `adapter.corrupt`, `adapter.unsupported`, `checkpoint.corrupt`
 */
export async function publicationOf(folder: string, repository: string): Promise<Publication> {
  await requireWholeCheckpoint(folder);
  await requireWholeAdapter(folder);
  const card = await makeCard(folder, repository);
  const config = await publicConfig(folder);
  const present = new Set(await readdir(folder));
  const own = card.files.length === 0 ? [CARD_FILE, CURVE_FILE] : [];
  const others = [ADAPTER_WEIGHTS_FILE, CHAT_TEMPLATE_FILE, ...own].filter((name) =>
    present.has(name),
  );
  const files = [
    config.file,
    ...(await Promise.all(others.map((name) => onDisk(folder, name)))),
    ...card.files.map(({ name, content }) => inMemory(name, content)),
  ];
  return {
    files: files.toSorted((a, b) => (a.path < b.path ? -1 : 1)),
    notes: [...config.notes, ...card.notes],
  };
}

/** The adapter's configuration, with what is needed to load it, and without a path of this machine. */
async function publicConfig(
  folder: string,
): Promise<{ readonly file: UploadFile; readonly notes: readonly string[] }> {
  const json = await readJsonFile(path.join(folder, ADAPTER_CONFIG_FILE), 'adapter.corrupt');
  const config = neededConfig(json ?? {});
  const fileOf = (content: JsonObject): UploadFile =>
    inMemory(ADAPTER_CONFIG_FILE, Buffer.from(`${JSON.stringify(content, null, 2)}\n`));
  const base = await namedBase(folder);
  if (base === null || isHubInput(base)) return { file: fileOf(config), notes: [] };
  const { name, isOnHub } = publicName(base);
  const way = isOnHub ? '' : '; it is not on the hub, so whoever loads the adapter needs it too';
  const note = `${ADAPTER_CONFIG_FILE} names the base model ${quote(name)}, not its path here${way}.`;
  return {
    file: fileOf({ ...config, base_model_name_or_path: name }),
    notes: name === config['base_model_name_or_path'] ? [] : [note],
  };
}

function inMemory(name: string, content: Buffer): UploadFile {
  return { path: name, size: content.length, content };
}

async function onDisk(folder: string, name: string): Promise<UploadFile> {
  const file = path.join(folder, name);
  return { path: name, size: (await stat(file)).size, content: { file } };
}
