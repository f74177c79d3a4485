import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import type { ResolvedConfig } from '../../../engine/config/schema.ts';
import { openSafetensors } from '../../../engine/formats/safetensors.ts';
import {
  type TensorToWrite,
  writeSafetensors,
} from '../../../engine/formats/safetensors-writer.ts';
import { readTensorRaw } from '../../../engine/formats/tensor-data.ts';
import { openTokenizer } from '../../../engine/models/base-model.ts';
import { estimateRun } from '../../../engine/plan/estimate-run.ts';
import { goldenPath } from '../../support/golden.ts';
import { HubWorld } from '../../support/hub-server/hub-world.ts';
import {
  digestOf,
  type HubRepository,
  hubRepository,
} from '../../support/hub-server/repositories.ts';
import { filesOf, metaMathRepository } from '../../support/hub-server/tiny-repositories.ts';
import { writeTinyModel } from '../../support/tiny-model-folder.ts';

const MODEL = 'owner/tiny';
const DATA = 'meta-math/MetaMathQA-40K';

/** The tiny model in a folder and on a hub, in one file or in two. */
async function worldWith(shards: 1 | 2): Promise<{ world: HubWorld; local: string }> {
  const world = await HubWorld.create(metaMathRepository());
  const local = path.join(world.folder, 'tiny');
  await writeTinyModel(local);
  const { 'model.safetensors': whole, ...small } = await filesOf(local);
  const weights =
    shards === 1 ? { 'model.safetensors': whole! } : await sharded(local, world.folder);
  world.hub.add(hubRepository('model', MODEL, { ...small, ...weights }));
  return { world, local };
}

async function sharded(model: string, folder: string): Promise<Record<string, Buffer>> {
  const { tensors } = await openSafetensors(path.join(model, 'model.safetensors'));
  const all = [...tensors.values()].map(
    (location): TensorToWrite => ({ ...location, data: () => readTensorRaw(location) }),
  );
  const parts = { 'a.safetensors': all.slice(0, 5), 'b.safetensors': all.slice(5) };
  const target = path.join(folder, 'shards');
  await mkdir(target);
  const map: Record<string, string> = {};
  for (const [file, part] of Object.entries(parts)) {
    await writeSafetensors(path.join(target, file), part);
    for (const { name } of part) map[name] = file;
  }
  const index = Buffer.from(JSON.stringify({ weight_map: map }));
  return { ...(await filesOf(target)), 'model.safetensors.index.json': index };
}

function configOf(world: HubWorld, model: string, nf4: boolean): ResolvedConfig {
  const config = world.config(model, DATA);
  return nf4 ? { ...config, model: { ...config.model, quantization: 'nf4' } } : config;
}

/** Bytes of weights that were asked for. */
function weightBytes({ hub }: HubWorld, { files }: HubRepository): number {
  const weights = [...files.values()].filter(({ path }) => path.endsWith('.safetensors'));
  const asked = hub.requests.filter(({ host, path }) =>
    weights.some((file) => host === 'cdn' && path.includes(digestOf(file))),
  );
  return asked.reduce((sum, { range }) => {
    const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(range ?? '') ?? [];
    return sum + Number(to) - Number(from) + 1;
  }, 0);
}

test.each([
  [1, false],
  [2, false],
  [1, true],
] as const)(
  '%i files, NF4: %s: an estimate by headers is that of the whole model',
  async (shards, nf4) => {
    const { world, local } = await worldWith(shards);
    const {
      model: _,
      memoryLimit: _limit,
      disk,
      ...expected
    } = await estimateRun(configOf(world, local, nf4));
    world.hub.requests.length = 0;
    const estimate = await estimateRun(configOf(world, MODEL, nf4));
    expect(estimate).toMatchObject(expected);
    expect(estimate.disk?.needed).toBe(disk?.needed);
    expect(disk !== undefined).toBe(nf4);
    const [snapshot] = await readdir(path.join(world.cache, 'models--owner--tiny', 'snapshots'));
    const here = await readdir(
      path.join(world.cache, 'models--owner--tiny', 'snapshots', snapshot!),
    );
    expect(here).toContain('tokenizer.json');
    expect(here.filter((file) => file.endsWith('.safetensors'))).toEqual([]);
  },
);

test('of the weights only what is before their data is fetched', async () => {
  const { world, local } = await worldWith(1);
  const { 'model.safetensors': whole, ...small } = await filesOf(local);
  // A file whose header is longer than what is asked for at first.
  const length = Number(whole!.readBigUInt64LE());
  const header = `${whole!
    .subarray(8, 8 + length)
    .toString('utf8')
    .trimEnd()}${' '.repeat(70_000)}`;
  const start = Buffer.alloc(8);
  start.writeBigUInt64LE(BigInt(header.length));
  const model = world.hub.add(
    hubRepository('model', MODEL, {
      ...small,
      'model.safetensors': Buffer.concat([start, Buffer.from(header), whole!.subarray(8 + length)]),
    }),
  );
  await estimateRun(configOf(world, MODEL, false));
  expect(weightBytes(world, model)).toBe(8 + header.length);
});

describe('of a GGUF file', () => {
  async function worldWithGguf(file: string, end = Buffer.alloc(0)) {
    const world = await HubWorld.create(metaMathRepository());
    const local = path.join(world.folder, file);
    await writeFile(local, Buffer.concat([await readFile(goldenPath('gguf', file)), end]));
    const content = await readFile(local);
    const model = world.hub.add(hubRepository('model', MODEL, { [file]: content }));
    return { world, local, model };
  }

  /** Ends of the parts that were asked for. */
  const ends = (world: HubWorld) =>
    world.hub.requests
      .filter(({ host }) => host === 'cdn')
      .map(({ range }) => Number(/-(\d+)$/.exec(range!)![1]));

  test.each(['qwen2-f32.gguf', 'qwen2-q8_0.gguf'])(
    'only the header is fetched, and the estimate is that of the whole: %s',
    async (file) => {
      const { world, local } = await worldWithGguf(file, Buffer.alloc(2 ** 21));
      const {
        model: _,
        memoryLimit: _limit,
        ...expected
      } = await estimateRun(configOf(world, local, false));
      world.hub.requests.length = 0;
      const estimate = await estimateRun(configOf(world, `${MODEL}:${file}`, false));
      expect(estimate).toMatchObject(expected);
      // One part of a megabyte is enough, and less than half of the file.
      expect(ends(world)).toEqual([2 ** 20 - 1]);
      expect(await filesBelow(world.cache)).not.toContainEqual(expect.stringMatching(/gguf$/));
    },
  );

  test('a preview needs no more for its tokens', async () => {
    const { world } = await worldWithGguf('qwen2-f32.gguf', Buffer.alloc(2 ** 21));
    const { config, heads } = await world.fetch(configOf(world, MODEL, false), { rowsOnly: true });
    const { tokenizer } = await openTokenizer(config.model.base_model_name_or_path, heads);
    const here = await openTokenizer(goldenPath('gguf', 'qwen2-f32.gguf'));
    expect(tokenizer.tokenizerJson).toEqual(here.tokenizer.tokenizerJson);
    expect(ends(world)).toEqual([2 ** 20 - 1]);
  });

  test.each([
    ['that is none', Buffer.from('GGUX'.repeat(1000)), /does not begin with the magic number/],
    ['that ends early', undefined, /it ends inside its header/],
  ])('a header %s is a mistake', async (_, content, message) => {
    const { world } = await worldWithGguf('qwen2-f32.gguf');
    const whole = await readFile(goldenPath('gguf', 'qwen2-f32.gguf'));
    const file = { 'a.gguf': content ?? whole.subarray(0, 500) };
    world.hub.add(hubRepository('model', MODEL, file));
    const config = configOf(world, MODEL, false);
    const fetched = world.fetch(config, { headsOnly: true });
    await expect(fetched).rejects.toMatchObject({ code: 'hub.bad_answer' });
    await expect(world.fetch(config, { headsOnly: true })).rejects.toThrow(message);
  });
});

async function filesBelow(folder: string): Promise<readonly string[]> {
  return (await readdir(folder, { recursive: true })).filter((name) => !name.includes('.locks'));
}

test('a server that knows no ranges', async () => {
  const { world } = await worldWith(2);
  world.hub.fault = ({ host }) => (host === 'cdn' ? 'no-range' : undefined);
  const { parameters } = await estimateRun(configOf(world, MODEL, false));
  expect(parameters.trainable).toBeGreaterThan(0);
});

test('a header that is none, or another part of the file, is a mistake', async () => {
  const { world } = await worldWith(1);
  const config = configOf(world, MODEL, false);
  world.hub.fault = ({ host, range }) =>
    host === 'cdn' && range !== undefined ? { status: 416 } : undefined;
  await expect(world.fetch(config, { headsOnly: true })).rejects.toThrow(
    /cannot be used: .* says 416/,
  );
  world.hub.fault = () => undefined;
  world.hub.add(
    hubRepository('model', MODEL, {
      ...(await filesOf(path.join(world.folder, 'tiny'))),
      'model.safetensors': Buffer.alloc(5000, 0xff),
    }),
  );
  await expect(world.fetch(config, { headsOnly: true })).rejects.toMatchObject({
    code: 'hub.bad_answer',
  });
});
