import path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { HubWorld } from '../../support/hub-server/hub-world.ts';
import type { HubRepository } from '../../support/hub-server/repositories.ts';
import {
  metaMathRepository,
  tinyModelRepository,
} from '../../support/hub-server/tiny-repositories.ts';
import { askPython, lacks } from '../../support/reference-python.ts';
import { inTempFolder } from '../../support/temp-folder.ts';

/*
 * The cache is the one of Python's huggingface_hub: what is fetched here is found and verified there,
 * and the other way round. LORAFA_REFERENCE_PYTHON names a Python with `test/reference/requirements.txt`.
 */

const MODEL_FILES = ['config.json', 'model.safetensors', 'tokenizer.json', 'tokenizer_config.json'];
const DATA_FILES = ['MetaMathQA-40K.json'];

const why = 'needs a Python with huggingface_hub (LORAFA_REFERENCE_PYTHON)';

describe.skipIf(lacks('huggingface_hub'))(`with Python's huggingface_hub (${why})`, () => {
  let model: HubRepository;
  beforeAll(async () => {
    model = await inTempFolder((folder) => tinyModelRepository(folder));
  });

  function ask(
    world: HubWorld,
    task: string,
    { kind, name }: HubRepository,
    files: readonly string[],
  ): Promise<{ readonly paths: Record<string, string>; readonly [key: string]: unknown }> {
    return askPython('check_hub_cache.py', [task, kind, name, ...files], world.env);
  }

  test('what is fetched here is found and verified there', { timeout: 120_000 }, async () => {
    const world = await HubWorld.create(model, metaMathRepository());
    const { config } = await world.fetch(world.config(model.name, metaMathRepository().name));
    const folder = config.model.base_model_name_or_path;
    const answer = await ask(world, 'verify', model, MODEL_FILES);
    expect(answer).toEqual({
      paths: Object.fromEntries(MODEL_FILES.map((file) => [file, path.join(folder, file)])),
      same: true,
      verified: MODEL_FILES.length,
      mismatches: [],
      extra: [],
      warnings: [],
      refs: [['main']],
    });
    expect(await ask(world, 'verify', metaMathRepository(), DATA_FILES)).toMatchObject({
      verified: 1,
      mismatches: [],
      warnings: [],
    });
  });

  test('what is fetched there is found here, and not fetched again', {
    timeout: 120_000,
  }, async () => {
    const world = await HubWorld.create(model, metaMathRepository());
    await ask(world, 'fetch', model, MODEL_FILES);
    await ask(world, 'fetch', metaMathRepository(), DATA_FILES);
    const before = world.hub.requests.length;
    const { config } = await world.fetch(world.config(model.name, metaMathRepository().name));
    expect(path.basename(config.model.base_model_name_or_path)).toBe(model.commit);
    const asked = world.hub.requests.slice(before);
    expect(asked.filter(({ path: url }) => !url.startsWith('/api/'))).toEqual([]);
    expect(await world.damage()).toEqual([]);
  });
});
