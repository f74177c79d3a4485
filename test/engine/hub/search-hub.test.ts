import { beforeAll, describe, expect, test } from 'vitest';
import { lookingSession } from '../../../engine/hub/connect.ts';
import { searchHub } from '../../../engine/hub/search-hub.ts';
import { HubWorld } from '../../support/hub-server/hub-world.ts';
import { type HubRepository, hubRepository } from '../../support/hub-server/repositories.ts';
import { tinyModelRepository } from '../../support/hub-server/tiny-repositories.ts';
import { inTempFolder } from '../../support/temp-folder.ts';

let tiny: HubRepository;
beforeAll(async () => {
  tiny = await inTempFolder((folder) => tinyModelRepository(folder, 'owner/tiny'));
});

/** The tiny model under another name, perhaps with another configuration. */
function model(name: string, config: object = {}, options: Partial<HubRepository> = {}) {
  const files = Object.fromEntries([...tiny.files].map(([path, { content }]) => [path, content]));
  const own = { ...JSON.parse(String(files['config.json'])), ...config };
  return {
    ...hubRepository('model', name, { ...files, 'config.json': JSON.stringify(own) }),
    ...options,
  };
}

async function search(kind: 'model' | 'dataset', text: string, signal?: AbortSignal) {
  const { connection } = await lookingSession({ tries: 1, silenceMs: 300, signal });
  return searchHub(kind, text, connection);
}

const namesOf = (entries: readonly { readonly name: string }[]) => entries.map(({ name }) => name);

describe('models', () => {
  test('those that can be trained, the best known first, with what the hub says of them', async () => {
    await HubWorld.create(
      model('a/small-chat', {}, { downloads: 5, tags: ['license:apache-2.0'] }),
      model('a/small-gated', {}, { downloads: 9, access: 'gated' }),
      model('a/small-private', {}, { access: 'private' }),
      model('a/small-vision', { architectures: ['LlavaForConditionalGeneration'] }),
      model('a/small-awq', { quantization_config: { quant_method: 'awq' } }),
      hubRepository('model', 'a/small-pickled', { 'pytorch_model.bin': 'x' }),
      model('a/other', {}, { downloads: 99 }),
    );
    const found = await search('model', 'small');
    expect(namesOf(found)).toEqual(['a/small-gated', 'a/small-chat']);
    expect(found[0]).toMatchObject({ isGated: true, licence: null });
    const header = tiny.files.get('model.safetensors')!.content;
    const data = header.length - 8 - Number(header.readBigUInt64LE());
    expect(found[1]).toEqual({
      name: 'a/small-chat',
      licence: 'apache-2.0',
      isGated: false,
      downloads: 5,
      bytes: data,
      isGguf: false,
      rows: null,
    });
  });

  test('GGUF files of a known architecture', async () => {
    await HubWorld.create(
      hubRepository('model', 'b/x-GGUF', { 'x.Q4_K_M.gguf': 'GGUF llama', 'x.Q8_0.gguf': '' }),
      hubRepository('model', 'b/y-GGUF', { 'y.gguf': 'GGUF mamba' }),
    );
    const found = await search('model', 'gguf');
    expect(found).toMatchObject([{ name: 'b/x-GGUF', isGguf: true, bytes: null }]);
  });

  test('through pages, up to a number', async () => {
    const world = await HubWorld.create();
    world.hub.pageSize = 7;
    for (let index = 0; index < 30; index++) {
      world.hub.add(model(`c/n-${index}`, {}, { downloads: index }));
    }
    const found = await search('model', 'n-');
    expect(namesOf(found).slice(0, 2)).toEqual(['c/n-29', 'c/n-28']);
    expect(found.length).toBe(20);
    expect(await search('model', 'nothing of that name')).toEqual([]);
  });
});

test('data sets: those with rows of text in a format that is read', async () => {
  const data = (name: string, tags: readonly string[]) =>
    hubRepository('dataset', name, {}, { tags });
  await HubWorld.create(
    data('d/chat', ['format:json', 'modality:text', 'license:mit', 'size_categories:1K<n<10K']),
    data('d/chat-pictures', ['format:parquet', 'modality:image', 'modality:text']),
    data('d/chat-archive', ['format:webdataset', 'modality:text']),
    data('d/chat-script', []),
  );
  const found = await search('dataset', 'chat');
  expect(found).toEqual([
    {
      ...{ name: 'd/chat', licence: 'mit', isGated: false, downloads: 1 },
      ...{ bytes: null, isGguf: false, rows: '1K<n<10K' },
    },
  ]);
});

describe('what can be wrong', () => {
  test.each([
    [{ status: 429, headers: { 'retry-after': '90' } }, 'hub.rate_limited', /in 90 seconds/],
    [{ status: 500 }, 'hub.unavailable', /problem of its own/],
    ['drop', 'hub.unreachable', /check the network/],
    ['no-json', 'hub.bad_answer', /models named "small"/],
  ] as const)('%o', async (fault, code, message) => {
    const world = await HubWorld.create();
    world.hub.fault = () => fault;
    const error = await search('model', 'small').catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code, message: expect.stringMatching(message) });
  });

  test('a list that is none', async () => {
    const world = await HubWorld.create(model('a/x'));
    world.hub.fault = () => ({ status: 200 });
    await expect(search('model', 'x')).rejects.toThrow();
  });

  test('a token that is not accepted, which nothing shows', async () => {
    const { env } = process;
    await HubWorld.create();
    env['HF_TOKEN'] = 'hf_canaryOfASearch';
    const error = await search('model', 'x').catch((thrown: unknown) => thrown);
    delete env['HF_TOKEN'];
    expect(error).toMatchObject({ code: 'hub.unauthorized' });
    expect(String(error)).not.toContain('hf_canary');
  });

  test('offline nobody is asked', async () => {
    const world = await HubWorld.create();
    process.env['HF_HUB_OFFLINE'] = '1';
    await expect(search('model', 'x')).rejects.toMatchObject({ code: 'hub.offline' });
    delete process.env['HF_HUB_OFFLINE'];
    expect(world.hub.requests).toEqual([]);
  });

  test('nobody waits any more', async () => {
    const world = await HubWorld.create();
    world.hub.fault = () => 'hang';
    const abort = new AbortController();
    const searching = search('model', 'x', abort.signal);
    setTimeout(() => abort.abort(), 50);
    await expect(searching).rejects.toMatchObject({ name: 'AbortError' });
  });
});
