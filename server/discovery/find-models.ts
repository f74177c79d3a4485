import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { readBoundedFile } from '../../engine/bounded-file.ts';
import { messageOf } from '../../engine/errors.ts';
import { isGgufModel, namesOfParts } from '../../engine/gguf/split-name.ts';
import { readDecoderConfig } from '../../engine/models/hugging-face-folder.ts';
import type { FoundModel } from '../protocol/models.ts';
import { walk } from '../walk.ts';

/** How deep below a folder models are looked for. */
const MODEL_DEPTH = 5;

/** The name of a revision is a hash. */
const MAX_REVISION_BYTES = 2 ** 10;

/** Where to look for base models. */
export interface ModelPlaces {
  readonly workspaceFolders: readonly string[];
  /** Folders that the user named. */
  readonly settingsFolders: readonly string[];
  /** The cache of the Hugging Face Hub. */
  readonly cacheFolder: string;
}

/** The base models on this machine: model folders with safetensors, and GGUF files. */
export async function findModels(places: ModelPlaces): Promise<readonly FoundModel[]> {
  const found = [
    ...(await modelsBelow(places.workspaceFolders, 'workspace')),
    ...(await modelsBelow(places.settingsFolders, 'settings')),
    ...(await cachedModels(places.cacheFolder)),
  ];
  const paths = found.map((model) => model.path);
  return found.filter((model, index) => paths.indexOf(model.path) === index);
}

async function modelsBelow(
  folders: readonly string[],
  origin: FoundModel['origin'],
): Promise<FoundModel[]> {
  const models: FoundModel[] = [];
  for (const top of folders) {
    for await (const { folder, files } of walk(top, { depth: MODEL_DEPTH, isWanted })) {
      models.push(...(await modelsIn(folder, files, path.basename(folder), origin)));
    }
  }
  return models;
}

/**
 * Models in the layout of huggingface_hub: `models--ORGANISATION--NAME/snapshots/REVISION`, of which
 * the revision that `refs/main` names is taken.
 */
async function cachedModels(cacheFolder: string): Promise<FoundModel[]> {
  const models: FoundModel[] = [];
  for (const entry of await readdir(cacheFolder).catch(() => [])) {
    if (!entry.startsWith('models--')) continue;
    const home = path.join(cacheFolder, entry);
    const revision = await readBoundedFile(path.join(home, 'refs/main'), MAX_REVISION_BYTES).catch(
      () => undefined,
    );
    if (revision === undefined) continue;
    const folder = path.join(home, 'snapshots', path.basename(revision.toString('utf8').trim()));
    const files = await readdir(folder).catch(() => []);
    const name = entry.split('--').slice(1).join('/');
    models.push(...(await modelsIn(folder, files, name, 'huggingface')));
  }
  return models;
}

/** The models that lie directly in a folder. */
async function modelsIn(
  folder: string,
  files: readonly string[],
  name: string,
  origin: FoundModel['origin'],
): Promise<FoundModel[]> {
  const models: FoundModel[] = [];
  const weights = files.filter(isSafetensors);
  if (files.includes('config.json') && weights.length > 0) {
    const known = await readDecoderConfig(folder).then(
      ({ config }) => ({ contextLength: config.maxPositionEmbeddings, problem: null }),
      (error: unknown) => ({ contextLength: null, problem: messageOf(error) }),
    );
    models.push({ path: folder, name, origin, bytes: await sizeOf(folder, weights), ...known });
  }
  for (const file of files.filter(isGgufModel)) {
    models.push({
      path: path.join(folder, file),
      name: file,
      origin,
      bytes: await sizeOf(folder, namesOfParts(file)),
      contextLength: null,
      problem: null,
    });
  }
  return models;
}

function isWanted(name: string): boolean {
  return name === 'config.json' || isSafetensors(name) || isGgufModel(name);
}

function isSafetensors(name: string): boolean {
  return /^model.*\.safetensors$/.test(name);
}

async function sizeOf(folder: string, files: readonly string[]): Promise<number> {
  const sizes = files.map((file) =>
    stat(path.join(folder, file)).then(
      ({ size }) => size,
      () => 0,
    ),
  );
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}
