import { mkdir, readdir, readFile, readlink, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { cachedInput, fetchInput } from '../../../engine/inputs/hub-inputs.ts';
import { openBaseModel, openTokenizer } from '../../../engine/models/base-model.ts';
import { goldenPath } from '../../support/golden.ts';
import { HubWorld } from '../../support/hub-server/hub-world.ts';
import {
  digestOf,
  type HubRepository,
  hubRepository,
} from '../../support/hub-server/repositories.ts';
import {
  guanacoRepository,
  metaMathRepository,
  tinyModelRepository,
} from '../../support/hub-server/tiny-repositories.ts';
import { inTempFolder } from '../../support/temp-folder.ts';

const MODEL = 'meta-llama/Meta-Llama-3-8B';
const DATA = 'meta-math/MetaMathQA-40K';

let model: HubRepository;
beforeAll(async () => {
  model = await inTempFolder((folder) => tinyModelRepository(folder));
});

function worldWithAll(): Promise<HubWorld> {
  return HubWorld.create(model, metaMathRepository(), guanacoRepository());
}

function cdnRequests(world: HubWorld): number {
  return world.hub.requests.filter(({ host }) => host === 'cdn').length;
}

describe('what is fetched', () => {
  test('only what is needed, into the layout of the shared cache', async () => {
    const world = await worldWithAll();
    const { config, sources, warnings } = await world.fetch(world.config(MODEL, DATA));
    const folder = path.join(world.cache, 'models--meta-llama--Meta-Llama-3-8B');
    const snapshot = path.join(folder, 'snapshots', model.commit);
    expect(config.model.base_model_name_or_path).toBe(snapshot);
    expect((await readdir(snapshot)).sort()).toEqual([
      'config.json',
      'model.safetensors',
      'tokenizer.json',
      'tokenizer_config.json',
    ]);
    expect(await readFile(path.join(folder, 'refs/main'), 'utf8')).toBe(model.commit);
    const weights = digestOf(model.files.get('model.safetensors')!);
    expect(await readlink(path.join(snapshot, 'model.safetensors'))).toBe(
      path.join('../../blobs', weights),
    );
    expect(
      await readdir(path.join(world.cache, '.locks/models--meta-llama--Meta-Llama-3-8B')),
    ).toEqual([]);
    expect((await openBaseModel(snapshot)).name).toBe('Meta-Llama-3-8B');
    expect([config.data.dataset_name_or_path].flat()).toEqual([
      expect.stringMatching(/datasets--meta-math--MetaMathQA-40K.*MetaMathQA-40K\.json$/),
    ]);
    expect(sources).toMatchObject([
      { name: MODEL, use: 'model', revision: 'main', commit: model.commit },
      { name: DATA, use: 'training', files: ['MetaMathQA-40K.json'] },
    ]);
    expect(warnings).toEqual([]);
    expect(await world.damage()).toEqual([]);
  });

  test('nothing is fetched twice', async () => {
    const world = await worldWithAll();
    await world.fetch(world.config(MODEL, DATA));
    const before = cdnRequests(world);
    await world.fetch(world.config(MODEL, DATA));
    expect(cdnRequests(world)).toBe(before);
    expect(await cachedInput(MODEL, 'model')).toHaveLength(1);
  });

  test('two at once share one download', async () => {
    const world = await worldWithAll();
    const config = world.config(MODEL, DATA);
    const [first, second] = await Promise.all([world.fetch(config), world.fetch(config)]);
    expect(first.config).toEqual(second.config);
    // Weights and tokenizer, each once.
    expect(cdnRequests(world)).toBe(2);
  });

  test('a list of files in many pages', async () => {
    const world = await worldWithAll();
    world.hub.pageSize = 1;
    await world.fetch(world.config(MODEL, DATA));
    expect(await world.damage()).toEqual([]);
  });

  test('without a name of the Hub nobody is asked', async () => {
    const world = await worldWithAll();
    vi.stubEnv('HF_ENDPOINT', 'nonsense');
    const config = world.config('./model', './rows.jsonl');
    expect(await world.fetch(config)).toEqual({
      ...{ config, sources: [], warnings: [], heads: new Map() },
    });
    expect(world.hub.requests).toEqual([]);
  });

  test('rows of a data set, through all of its files, and its held-out split', async () => {
    const world = await worldWithAll();
    const rows = (count: number, what: string): string =>
      Array.from({ length: count }, (_, index) => `{"text":"${what}${index}"}\n`).join('');
    world.hub.add(
      hubRepository('dataset', 'owner/rows', {
        'train-0.jsonl': rows(3, 'a'),
        'train-1.jsonl': rows(3, 'b'),
        'test.jsonl': rows(2, 'c'),
      }),
    );
    const { config } = await world.fetch(
      world.config(MODEL, ['owner/rows[2:5]', 'owner/rows:test[:1]'], 'owner/rows'),
    );
    const shown = (names: string | string[] = []): string[] =>
      [names].flat().map((name) => path.basename(name));
    expect(shown(config.data.dataset_name_or_path)).toEqual([
      'train-0.jsonl[2:3]',
      'train-1.jsonl[0:2]',
      'test.jsonl[:1]',
    ]);
    expect(shown(config.data.eval_dataset_name_or_path)).toEqual(['test.jsonl']);
  });

  test('one GGUF, and a revision', async () => {
    const world = await worldWithAll();
    world.hub.add(
      hubRepository(
        'model',
        'owner/gguf',
        { 'a.gguf': 'one', 'b.gguf': 'two' },
        { branches: new Set(['main', 'refs/pr/1']) },
      ),
    );
    const place = await fetchInput('owner/gguf@refs/pr/1:b.gguf', 'model');
    expect(await readFile(place, 'utf8')).toBe('two');
    const refs = path.join(world.cache, 'models--owner--gguf/refs');
    expect(await readdir(path.join(refs, 'refs/pr'))).toEqual(['1']);
  });

  test('all parts of a GGUF that was split, and one is opened', async () => {
    const world = await worldWithAll();
    const names = [1, 2, 3].map((part) => `llama2-q8_0-0000${part}-of-00003.gguf`);
    const parts = names.map(async (name) => {
      return [`q8/${name}`, await readFile(goldenPath('gguf', 'split', name))] as const;
    });
    const files = { ...Object.fromEntries(await Promise.all(parts)), 'other.gguf': 'other' };
    world.hub.add(hubRepository('model', 'owner/split', files));
    const place = await fetchInput('owner/split:q8_0', 'model');
    expect(path.basename(place)).toBe(names[0]);
    expect(await readdir(path.dirname(place))).toEqual(names);
    const opened = await openBaseModel(place, { headersOnly: true });
    expect([opened.name, opened.weights.tensors.size]).toEqual(['llama2-q8_0', 21]);
  });

  test('no weights where only rows are looked at', async () => {
    const world = await worldWithAll();
    const given = world.config(MODEL, DATA, 'owner/other');
    const { config } = await world.fetch(given, { rowsOnly: true });
    const folder = config.model.base_model_name_or_path;
    expect(await readdir(folder)).not.toContain('model.safetensors');
    expect((await openTokenizer(folder)).config.vocabSize).toBe(260);
    expect(config.data.eval_dataset_name_or_path).toBe('owner/other');
    expect(await cachedInput(MODEL, 'model')).toBeUndefined();
  });

  test('progress in bytes, with a rate', async () => {
    const world = await worldWithAll();
    world.hub.fault = ({ host }) =>
      host === 'cdn' ? { pieceBytes: 20_000, pauseMs: 60 } : undefined;
    const states: { task: string; done: number; total: number; rate?: number }[] = [];
    await world.fetch(world.config(MODEL, DATA), { onDownload: (state) => states.push(state) });
    const own = states.filter(({ task }) => task === `downloading ${MODEL}`);
    expect(own.length).toBeGreaterThan(1);
    expect(own.at(-1)).toMatchObject({ done: own[0]!.total, total: own[0]!.total });
    expect(own.at(-1)!.rate).toBeGreaterThan(0);
    expect(own.every(({ done }, index) => index === 0 || done >= own[index - 1]!.done)).toBe(true);
  });
});

describe('a download that breaks off', () => {
  test('goes on where it was', async () => {
    const world = await worldWithAll();
    const weights = digestOf(model.files.get('model.safetensors')!);
    world.hub.fault = ({ path: url, range }) =>
      url.includes(weights) && range === undefined ? { cutAfter: 50_000 } : undefined;
    const config = world.config(MODEL, DATA);
    await expect(world.fetch(config)).rejects.toMatchObject({ code: 'hub.unreachable' });
    await world.fetch(config);
    expect(world.hub.requests.filter(({ range }) => range !== undefined)).toContainEqual(
      expect.objectContaining({ host: 'cdn', range: expect.stringMatching(/^bytes=[1-9]\d*-$/) }),
    );
    expect(await world.damage()).toEqual([]);
  });

  test('goes on by itself', async () => {
    const world = await worldWithAll();
    let cuts = 0;
    world.hub.fault = ({ host }) => (host === 'cdn' && cuts++ < 2 ? { cutAfter: 9000 } : undefined);
    await world.fetch(world.config(MODEL, DATA), { patience: { tries: 3, retryMs: 1 } });
    expect(cuts).toBeGreaterThan(2);
    expect(await world.damage()).toEqual([]);
  });

  test.each(['no-range', 'other-range', 'corrupt', 'too-much'] as const)(
    'by a server that answers the rest with %s',
    async (fault) => {
      const world = await worldWithAll();
      const weights = digestOf(model.files.get('model.safetensors')!);
      const config = world.config(MODEL, DATA);
      world.hub.fault = ({ path: url }) => (url.includes(weights) ? { cutAfter: 5000 } : undefined);
      await expect(world.fetch(config)).rejects.toThrow();
      world.hub.fault = ({ range }) => (range === undefined ? undefined : fault);
      const outcome = await world.fetch(config).then(
        () => 'complete',
        ({ code }) => code,
      );
      expect(['complete', 'hub.bad_answer', 'hub.wrong_hash']).toContain(outcome);
      expect(await world.damage()).toEqual([]);
      world.hub.fault = () => undefined;
      await world.fetch(config);
      expect(await world.damage()).toEqual([]);
    },
  );

  test('and left something else', async () => {
    const world = await worldWithAll();
    const config = world.config(MODEL, DATA);
    const { content } = model.files.get('model.safetensors')!;
    const blobs = path.join(world.cache, 'models--meta-llama--Meta-Llama-3-8B/blobs');
    const partial = `${digestOf(model.files.get('model.safetensors')!)}.lorafa.incomplete`;
    for (const left of [
      Buffer.alloc(1000),
      Buffer.alloc(content.length),
      Buffer.alloc(content.length + 1),
    ]) {
      await rm(world.cache, { recursive: true, force: true });
      await mkdir(blobs, { recursive: true });
      await writeFile(path.join(blobs, partial), left);
      await world.fetch(config);
      expect(await world.damage()).toEqual([]);
      expect(await readdir(blobs)).not.toContain(partial);
    }
  });
});

test('a file whose digest is another one is never kept', async () => {
  const world = await worldWithAll();
  world.hub.fault = ({ host }) => (host === 'cdn' ? 'corrupt' : undefined);
  await expect(world.fetch(world.config(MODEL, DATA))).rejects.toMatchObject({
    code: 'hub.wrong_hash',
    message: expect.stringMatching(/^tokenizer\.json of the model meta-llama.* thrown away/),
  });
  expect(await world.damage()).toEqual([]);
});

describe('without the Hub', () => {
  test('what is here is used, and the run is told', async () => {
    const world = await worldWithAll();
    const config = world.config(MODEL, DATA);
    const before = await world.fetch(config);
    world.hub.fault = () => 'drop';
    const { config: local, warnings } = await world.fetch(config);
    expect(local).toEqual(before.config);
    expect(warnings).toHaveLength(2);
    vi.stubEnv('HF_HUB_OFFLINE', '1');
    const count = world.hub.requests.length;
    expect((await world.fetch(config)).warnings).toEqual([]);
    expect(world.hub.requests).toHaveLength(count);
  });

  test('what is not here, or not all, is a mistake', async () => {
    const world = await worldWithAll();
    const { config } = await world.fetch(world.config(MODEL, DATA));
    await rm(path.join(config.model.base_model_name_or_path, 'model.safetensors'));
    vi.stubEnv('HF_HUB_OFFLINE', '1');
    await expect(world.fetch(world.config(MODEL, DATA))).rejects.toMatchObject({
      code: 'hub.not_cached',
    });
    expect(await cachedInput(MODEL, 'model')).toBeUndefined();
    expect(await cachedInput('owner/other', 'training')).toBeUndefined();
  });

  test('a card that named the splits is remembered', async () => {
    const world = await worldWithAll();
    const configs = [
      {
        config_name: 'default',
        data_files: [
          { split: 'train', path: 'a.jsonl' },
          { split: 'test', path: 'b.jsonl' },
        ],
      },
    ];
    const files = { 'a.jsonl': '{"text":"a"}\n', 'b.jsonl': '{"text":"b"}\n' };
    world.hub.add(hubRepository('dataset', 'owner/card', files, { cardData: { configs } }));
    const config = world.config(MODEL, 'owner/card', 'owner/card');
    const before = await world.fetch(config);
    vi.stubEnv('HF_HUB_OFFLINE', '1');
    expect((await world.fetch(config)).config).toEqual(before.config);
  });
});

test('a run goes on with the files that it had, whatever has changed since', async () => {
  const world = await worldWithAll();
  const config = world.config(MODEL, DATA);
  const { sources, config: before } = await world.fetch(config);
  const newer = metaMathRepository(9);
  world.hub.add(newer);
  const count = world.hub.requests.length;
  expect((await world.fetch(config, { known: sources })).config).toEqual(before);
  expect(world.hub.requests).toHaveLength(count);
  const { sources: others } = await world.fetch(config);
  expect(others[1]!.commit).toBe(newer.commit);
});

describe('access', () => {
  test.each([
    [
      'gated',
      undefined,
      'hub.gated',
      /given on request: ask for it at http.*\/owner\/closed, and sign in/,
    ],
    ['private', undefined, 'hub.not_found', /if it is private, sign in/],
    ['public', 'hf_wrong', 'hub.unauthorized', /does not accept your access token/],
  ] as const)('%s with the token %s', async (access, token, code, message) => {
    const world = await worldWithAll();
    world.hub.tokens.add('hf_right');
    world.hub.add({ ...model, name: 'owner/closed', access });
    if (token !== undefined) vi.stubEnv('HF_TOKEN', token);
    const failed = world.fetch(world.config('owner/closed', DATA));
    await expect(failed).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });

  test('a token opens the door and goes to no other host', async () => {
    const world = await worldWithAll();
    world.hub.tokens.add('hf_right');
    world.hub.add({ ...model, name: 'owner/closed', access: 'gated' });
    vi.stubEnv('HF_TOKEN', 'hf_right');
    await world.fetch(world.config('owner/closed', DATA));
    const { requests } = world.hub;
    const of = (host: string) => requests.filter((request) => request.host === host);
    expect(of('hub').every(({ authorization }) => authorization === 'Bearer hf_right')).toBe(true);
    expect(of('cdn').length).toBeGreaterThan(0);
    expect(of('cdn').every(({ authorization }) => authorization === undefined)).toBe(true);
  });

  test.each([
    [
      { status: 404, headers: { 'x-error-code': 'RevisionNotFound' } },
      'hub.not_found',
      /no revision "v9"/,
    ],
    [
      { status: 429, headers: { 'retry-after': '7' } },
      'hub.rate_limited',
      /try again in 7 seconds/,
    ],
    [{ status: 429 }, 'hub.rate_limited', /try again later/],
    [{ status: 500 }, 'hub.unavailable', /problem of its own \(status 500\)/],
    [
      { status: 302, headers: { location: 'http://name:word@127.0.0.1:9/' } },
      'hub.bad_answer',
      /an address with a name and a password;/,
    ],
    [
      { status: 403, headers: { 'x-error-message': 'No [x](y)' } },
      'hub.forbidden',
      /says: “No \[x\]\(y\)”/,
    ],
  ] as const)('%j', async (fault, code, message) => {
    const world = await worldWithAll();
    world.hub.fault = () => fault;
    const failed = world.fetch(world.config(`${MODEL}@v9`, DATA));
    await expect(failed).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });
});

test('a hub that is away for hours is not waited for', async () => {
  const world = await worldWithAll();
  world.hub.fault = () => ({ status: 503, headers: { 'retry-after': '7200' } });
  const failed = world.fetch(world.config(MODEL, DATA), { patience: { tries: 3 } });
  await expect(failed).rejects.toThrow(/status 503\); try again in 7200 seconds/);
  expect(world.hub.requests).toHaveLength(1);
});

describe('a hub that means ill', () => {
  test('an answer that is nothing is a bad one', async () => {
    const world = await worldWithAll();
    world.hub.fault = () => 'null';
    await expect(world.fetch(world.config(MODEL, DATA))).rejects.toMatchObject({
      code: 'hub.bad_answer',
      message: expect.stringContaining('does not say which commit'),
    });
  });

  test('names that lead elsewhere are no files', async () => {
    const world = await worldWithAll();
    const files = Object.fromEntries(
      [...model.files].map(([name, { content }]) => [name, content] as const),
    );
    const evil = { '../../../evil.jsonl': 'x', '/evil.jsonl': 'x', 'a\\..\\evil.jsonl': 'x' };
    world.hub.add(hubRepository('model', 'owner/evil', { ...files, ...evil }));
    world.hub.add(hubRepository('dataset', 'owner/evil', evil));
    await expect(world.fetch(world.config('owner/evil', 'owner/evil'))).rejects.toMatchObject({
      code: 'hub.no_files',
    });
    expect(await readdir(world.folder, { recursive: true })).not.toContainEqual(
      expect.stringMatching(/evil\.jsonl/),
    );
  });

  test('an index that names a file elsewhere is none', async () => {
    const world = await worldWithAll();
    const files = Object.fromEntries(
      [...model.files].map(([name, { content }]) => [name, content] as const),
    );
    delete files['model.safetensors'];
    const index = JSON.stringify({ weight_map: { a: '../../../../etc/passwd' } });
    world.hub.add(
      hubRepository('model', 'owner/evil', { ...files, 'model.safetensors.index.json': index }),
    );
    const { config } = await world.fetch(world.config('owner/evil', DATA));
    await expect(openBaseModel(config.model.base_model_name_or_path)).rejects.toThrow(
      /not a plain file name/,
    );
  });

  test('a configuration that is larger than any is not fetched', async () => {
    const world = await worldWithAll();
    const large = { ...model.files.get('config.json')!, saidSize: 2 ** 33 };
    const files = new Map([...model.files, ['config.json', large]]);
    world.hub.add({ ...model, name: 'owner/large', files });
    await expect(world.fetch(world.config('owner/large', DATA))).rejects.toMatchObject({
      code: 'hub.no_files',
      message:
        'owner/large has a config.json of 8.0 GiB, which can be no such file; look for another one.',
    });
    expect(world.hub.requests.filter(({ path: url }) => url.includes('/resolve/'))).toEqual([]);
  });

  test('more than the disk holds is refused before it is fetched', async () => {
    const world = await worldWithAll();
    const content = Buffer.from('{"text":"a"}\n');
    const large = { path: 'a.jsonl', content, isLarge: false, saidSize: 2 ** 52 };
    const files = new Map([['a.jsonl', large]]);
    world.hub.add({ ...metaMathRepository(), name: 'owner/large', files });
    await expect(world.fetch(world.config(MODEL, 'owner/large'))).rejects.toMatchObject({
      code: 'hub.no_space',
      message: expect.stringMatching(/^owner\/large needs 4194304\.0 GiB more in .* set HF_HOME/),
    });
  });
});

test('a cache that cannot be written is told as such', async () => {
  const world = await worldWithAll();
  await writeFile(world.home, 'a file');
  await expect(world.fetch(world.config(MODEL, DATA))).rejects.toMatchObject({
    code: 'hub.not_writable',
    message: expect.stringMatching(/^Cannot write to .* is a file, not a folder; .* set HF_HOME/),
  });
});

test('a cache that has all, and takes no name of a revision, serves', async () => {
  const world = await worldWithAll();
  const config = world.config(MODEL, DATA);
  await world.fetch(config);
  const refs = path.join(world.cache, 'models--meta-llama--Meta-Llama-3-8B/refs');
  await rm(refs, { recursive: true });
  await writeFile(refs, 'a file');
  const { config: found } = await world.fetch(config);
  expect(path.basename(found.model.base_model_name_or_path)).toBe(model.commit);
});

test('links of others in the cache are replaced, not followed', async () => {
  const world = await worldWithAll();
  const victim = path.join(world.folder, 'victim');
  await writeFile(victim, 'mine');
  const snapshot = path.join(
    world.cache,
    'models--meta-llama--Meta-Llama-3-8B/snapshots',
    model.commit,
  );
  await mkdir(snapshot, { recursive: true });
  await symlink(victim, path.join(snapshot, 'config.json'));
  await world.fetch(world.config(MODEL, DATA));
  expect(await readFile(victim, 'utf8')).toBe('mine');
  expect(await world.damage()).toEqual([]);
});
