import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { lookingSession, type Patience } from '../hub/connect.ts';
import { parseHubName } from '../hub/hub-name.ts';
import { noFiles, type RepositoryView } from '../hub/repository-view.ts';
import { fetchSnapshot } from '../hub/snapshot.ts';
import { type BaseModel, openBaseModel } from '../models/base-model.ts';
import { openWeights, readDecoderConfig } from '../models/hugging-face-folder.ts';
import { requestFor } from './hub-inputs.ts';

/** The structure of a model, and what it would be to have it. */
export interface ModelLook {
  readonly model: Pick<BaseModel, 'config' | 'name' | 'weights'>;
  /** Bytes of its weights that would have to be downloaded; 0 for one that is here. */
  readonly download: number;
}

/**
 * Looks at a model before anybody takes it: of one on the Hub only its configuration and the headers
 * of its weights are fetched, into a cache of our own, so that the shared one holds what is used.
 *
 * @param name a path, or the name of a repository with safetensors
 * @throws HubError, and LorafaError for what cannot be trained
 */
export async function lookAtModel(name: string, patience: Patience = {}): Promise<ModelLook> {
  const hub = parseHubName(name);
  if (hub === undefined) return { model: await openStructure(name), download: 0 };
  const { choose, ...request } = requestFor(hub, 'model', 'structure');
  const { folder, heads } = await fetchSnapshot(
    { ...request, headsOnly: true, choose: (view) => choose(view).then(withoutGguf(view)) },
    await lookingSession(patience),
  );
  const { config } = await readDecoderConfig(folder);
  const weights = await openWeights(folder, config, heads);
  const download = [...heads!.values()].reduce((sum, { size }) => sum + size, 0);
  return { model: { config, name, weights }, download };
}

/** The header of a GGUF file holds a vocabulary, and is as large as a small model. */
function withoutGguf(view: RepositoryView): (files: readonly string[]) => readonly string[] {
  return (files) => {
    if (!files.some((file) => file.toLowerCase().endsWith('.gguf'))) return files;
    throw noFiles(view, 'is a GGUF file, of which more can be said when it is on this machine');
  };
}

/** Of a folder only what its configuration and its weights say: a tokenizer takes long to read. */
async function openStructure(location: string): Promise<ModelLook['model']> {
  const names: string[] = await readdir(location).catch(() => []);
  if (!names.includes('config.json')) return openBaseModel(location, { headersOnly: true });
  const { config } = await readDecoderConfig(location);
  return { config, name: path.basename(location), weights: await openWeights(location, config) };
}
