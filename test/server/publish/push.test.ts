import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { DownloadState } from '../../../engine/hub/download-progress.ts';
import { type PushRequest, planPush } from '../../../server/publish/plan-push.ts';
import { type PushResult, push, pushConnection } from '../../../server/publish/push.ts';
import { run, TinyRuns } from '../../engine/train/tiny-run.ts';
import type { Fault, SeenRequest } from '../../support/hub-server/faults.ts';
import { HubWorld } from '../../support/hub-server/hub-world.ts';
import { ProxyServer } from '../../support/hub-server/proxy-server.ts';
import { type HubRepository, hubRepository } from '../../support/hub-server/repositories.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const TOKEN = 'hf_writesInTests';
const NAME = 'somebody/first';
const PATIENCE = { tries: 3, retryMs: 1, silenceMs: 30_000 };

let top: string;
let folder: string;

beforeAll(async () => {
  top = await mkdtemp(path.join(tmpdir(), 'lorafa-private-'));
  const tiny = await TinyRuns.create(top);
  folder = path.join(top, 'first-run');
  await run(tiny.config({ training: { output_dir: folder } }));
});

afterAll(() => rm(top, { recursive: true }));

/** A hub whose user is signed in with a token that may write. */
async function signedIn(...repositories: readonly HubRepository[]): Promise<HubWorld> {
  const world = await HubWorld.create(...repositories);
  world.hub.tokens.add(TOKEN);
  vi.stubEnv('HF_TOKEN', TOKEN);
  return world;
}

async function plan(request: Partial<PushRequest> = {}) {
  return planPush({ folder, repository: NAME, ...request }, await pushConnection(PATIENCE));
}

async function pushed(request: Partial<PushRequest> = {}, options = {}): Promise<PushResult> {
  return push(await plan(request), { ...PATIENCE, ...options });
}

/** What is in a branch, as text. */
function content(world: HubWorld, branch = 'main', name = NAME): Record<string, string> {
  const { files } = world.hub.find(name, branch)!;
  return Object.fromEntries(
    [...files.values()].map(({ path, content }) => [path, String(content)]),
  );
}

const writes = ({ hub }: HubWorld): readonly SeenRequest[] =>
  hub.requests.filter(({ method }) => method !== 'GET' && method !== 'HEAD');

/** Fails the first request to a path, or so many of them. */
function failing(world: HubWorld, path: RegExp, fault: Fault, times = 1): void {
  let left = times;
  world.hub.fault = (request) =>
    request.method !== 'GET' && path.test(request.path) && left-- > 0 ? fault : undefined;
}

describe('a push', () => {
  test('makes a private repository with all that belongs to the adapter', async () => {
    const world = await signedIn();
    const states: DownloadState[] = [];
    const planned = await plan({ repository: 'first' });
    expect(planned.shown).toMatchObject({
      ...{ repository: NAME, page: `${world.hub.endpoint}/${NAME}`, account: 'somebody' },
      ...{ revision: 'main', isPrivate: true, isNew: true, isNewRevision: false },
      message: 'Upload adapter',
      notes: [
        'adapter_config.json names the base model "model", not its path here; it is not on the hub, so whoever loads the adapter needs it too.',
      ],
    });
    expect(planned.shown.files.map(({ path, change }) => [path, change])).toEqual([
      ['README.md', 'new'],
      ['adapter_config.json', 'new'],
      ['adapter_model.safetensors', 'new'],
      ['loss-curve.svg', 'new'],
    ]);
    // Nothing was done by looking.
    expect(writes(world)).toEqual([]);
    const result = await push(planned, { ...PATIENCE, onProgress: (state) => states.push(state) });
    const { access, commit, files } = world.hub.find(NAME)!;
    expect(access).toBe('private');
    expect(result).toEqual({
      ...{ repository: NAME, page: planned.shown.page, commit },
      ...{ bytes: planned.shown.bytes, files: 4 },
    });
    expect(states.at(-1)).toMatchObject({ done: result.bytes, total: result.bytes });
    const weights = await readFile(path.join(folder, 'adapter_model.safetensors'));
    expect(files.get('adapter_model.safetensors')!.content.equals(weights)).toBe(true);
    expect(content(world)['README.md']).toContain(`PeftModel.from_pretrained(model, "${NAME}")`);
    for (const text of Object.values(content(world))) expect(text).not.toContain(top);
    expect(JSON.parse(content(world)['adapter_config.json']!)).toMatchObject({
      ...{ base_model_name_or_path: 'model', r: 2 },
    });
  });

  test('shows the card that is sent, with its picture', async () => {
    const world = await signedIn();
    const { card } = (await plan()).shown;
    await pushed();
    expect(card).toEqual({
      text: content(world)['README.md'],
      curve: content(world)['loss-curve.svg'],
    });
    expect(card!.text).toContain('(loss-curve.svg)');
    // What is there already is not sent.
    expect((await plan()).shown.card).toBeNull();
    const own = await tempFolder();
    await cp(folder, own, { recursive: true });
    await writeFile(path.join(own, 'README.md'), '# Mine\n');
    expect((await plan({ folder: own })).shown.card).toEqual({ text: '# Mine\n', curve: null });
  });

  test('again sends nothing; after a change, what changed', async () => {
    const world = await signedIn();
    await pushed();
    const again = await plan();
    expect(again.files).toEqual([]);
    expect(new Set(again.shown.files.map(({ change }) => change))).toEqual(new Set(['same']));
    const tiny = path.join(top, 'first-run/checkpoint-2');
    const changed = await plan({ folder: tiny, message: 'Another one' });
    // The weights are those of the last step in both.
    expect(changed.files.map(({ path }) => path)).toEqual(['README.md']);
    await push(changed, PATIENCE);
    expect(content(world)['README.md']).toContain('# first-run-checkpoint-2\n');
  });

  test('in parts, where the Hub wants that', async () => {
    const world = await signedIn();
    world.hub.writing.partBytes = 1000;
    // A part is sent again, and only that.
    failing(world, /^\/lfs\/\w+\/2$/, { cutWhenReceived: 100 });
    await pushed();
    const weights = await readFile(path.join(folder, 'adapter_model.safetensors'));
    const parts = world.hub.requests.filter(({ path }) => /^\/lfs\/\w+\/\d+$/.test(path));
    expect(parts).toHaveLength(Math.ceil(weights.length / 1000) + 1);
    const { files } = world.hub.find(NAME)!;
    expect(files.get('adapter_model.safetensors')!.content.equals(weights)).toBe(true);
  });

  test('into a branch, which is made; main stays as it is', async () => {
    const world = await signedIn();
    await pushed();
    const planned = await plan({ revision: 'v2', folder: path.join(folder, 'checkpoint-2') });
    expect(planned.shown).toMatchObject({ isNew: false, isNewRevision: true });
    await push(planned, PATIENCE);
    expect(content(world, 'v2')['README.md']).toContain('# first-run-checkpoint-2\n');
    expect(content(world, 'main')['README.md']).toContain('# first-run\n');
  });

  test('into a branch that begins where all of it is: without another commit', async () => {
    const world = await signedIn();
    const { commit } = await pushed();
    expect((await plan({ revision: 'v2' })).shown).toMatchObject({ isNewRevision: true, bytes: 0 });
    expect(await pushed({ revision: 'v2' })).toMatchObject({ commit, files: 0 });
    expect(content(world, 'v2')).toEqual(content(world, 'main'));
  });

  test('a public repository is made when that is wanted', async () => {
    const world = await signedIn();
    await pushed({ isPrivate: false });
    expect(world.hub.find(NAME)!.access).toBe('public');
    await expect(plan({ isPrivate: true })).rejects.toMatchObject({
      code: 'usage.invalid',
      message: expect.stringContaining('is there already and is public'),
    });
  });

  test('the token goes to the hub alone', async () => {
    const world = await signedIn();
    await pushed();
    for (const { host, authorization } of world.hub.requests) {
      expect(authorization).toBe(host === 'hub' ? `Bearer ${TOKEN}` : undefined);
    }
    expect(world.hub.requests.some(({ host }) => host === 'cdn')).toBe(true);
  });

  test('through a proxy', async () => {
    const world = await signedIn();
    const proxy = await ProxyServer.start();
    vi.stubEnv('HTTP_PROXY', `http://${proxy.host}`);
    await pushed();
    expect(proxy.requests).toHaveLength(world.hub.requests.length);
    expect(Object.keys(content(world))).toContain('adapter_model.safetensors');
  });
});

describe('a card that somebody wrote', () => {
  const theirs = (card: string) => hubRepository('model', NAME, { 'README.md': card });

  test('is left alone, and that is said', async () => {
    const world = await signedIn(theirs('# Mine\n'));
    const planned = await plan();
    expect(planned.shown.files[0]).toMatchObject({ path: 'README.md', change: 'kept' });
    expect(planned.shown.notes.at(-1)).toContain('is left as it is.');
    expect(planned.shown.card).toBeNull();
    await push(planned, PATIENCE);
    expect(content(world)['README.md']).toBe('# Mine\n');
  });

  test('is replaced when that is wanted', async () => {
    const world = await signedIn(theirs('# Mine\n'));
    await pushed({ replaceCard: true });
    expect(content(world)['README.md']).toContain('# first-run\n');
  });
});

describe('what goes wrong is told in a sentence', () => {
  test('no token', async () => {
    const world = await HubWorld.create();
    await expect(plan()).rejects.toMatchObject({
      code: 'hub.unauthorized',
      message: expect.stringMatching(
        /^Pushing to the hub needs an access token that may write: .*\.$/,
      ),
    });
    expect(world.hub.requests).toEqual([]);
  });

  test('a token that only reads', async () => {
    const world = await signedIn();
    world.hub.readTokens.add(TOKEN);
    await expect(plan()).rejects.toMatchObject({
      code: 'hub.forbidden',
      message: expect.stringContaining('may only read'),
    });
  });

  test('a token that the hub does not know', async () => {
    await HubWorld.create();
    vi.stubEnv('HF_TOKEN', 'hf_wrong');
    await expect(plan()).rejects.toMatchObject({ code: 'hub.unauthorized' });
  });

  test('offline', async () => {
    const world = await signedIn();
    vi.stubEnv('HF_HUB_OFFLINE', '1');
    await expect(plan()).rejects.toMatchObject({ code: 'hub.offline' });
    expect(world.hub.requests).toEqual([]);
  });

  test("somebody else's repository, and somebody else's name", async () => {
    const world = await signedIn(hubRepository('model', 'another/first', {}));
    for (const repository of ['another/first', 'another/new']) {
      await expect(pushed({ repository })).rejects.toMatchObject({
        code: 'hub.forbidden',
        message: expect.stringMatching(
          /does not allow to write to the model another\/.* The hub says: /,
        ),
      });
    }
    expect(world.hub.requests.some(({ host }) => host === 'cdn')).toBe(false);
  });

  test.each([
    [{ repository: 'somebody/first.git' }, /^The repository name "somebody\/first\.git" .*\.$/],
    [{ revision: 'HEAD' }, /^The branch name "HEAD" .*, like main\.$/],
  ])('%j, before anybody is asked', async (request, message) => {
    const world = await signedIn();
    await expect(plan(request)).rejects.toMatchObject({
      code: 'usage.invalid',
      message: expect.stringMatching(message),
    });
    expect(world.hub.requests).toEqual([]);
  });

  test.each([
    [/batch$/, 413, 'hub.too_large'],
    [/^\/lfs\//, 413, 'hub.too_large'],
    [/preupload/, 403, 'hub.forbidden'],
    [/commit/, 409, 'hub.conflict'],
    [/commit/, 402, 'hub.quota'],
    [/commit/, 400, 'hub.refused'],
    [/create$/, 429, 'hub.rate_limited'],
    [/create$/, 409, 'hub.conflict'],
  ] as const)('%s answered with %d is %s, and is not tried again', async (place, status, code) => {
    const world = await signedIn();
    failing(world, place, { status }, 9);
    await expect(pushed()).rejects.toMatchObject({ code, message: expect.stringMatching(/\.$/) });
    expect(writes(world).filter(({ path }) => place.test(path))).toHaveLength(1);
    expect(Object.keys(world.hub.find(NAME) ? content(world) : {})).not.toContain('README.md');
  });

  test('too many requests, which a token that is accepted does not change', async () => {
    const world = await signedIn();
    failing(world, /commit/, { status: 429 });
    await expect(pushed()).rejects.toMatchObject({
      code: 'hub.rate_limited',
      message: expect.stringMatching(/for a while; try again later\. somebody/),
    });
  });

  test('no room for what is private, in the words of the hub', async () => {
    const world = await signedIn();
    world.hub.writing.quota = 1000;
    await expect(pushed()).rejects.toMatchObject({
      code: 'hub.quota',
      message: expect.stringContaining('Private repository storage limit reached'),
    });
  });

  test('a card that the hub does not take, in its words', async () => {
    await signedIn();
    const own = path.join(top, 'own');
    await cp(folder, own, { recursive: true });
    await writeFile(path.join(own, 'README.md'), '---\nbase_model: /home/x\n---\n');
    await expect(pushed({ folder: own })).rejects.toMatchObject({
      code: 'hub.refused',
      // As the hub writes it, without escapes.
      message: expect.stringContaining('“Invalid metadata in README.md'),
    });
  });

  test('a repository that stays public although it was to be private is sent nothing', async () => {
    const world = await signedIn();
    const { writing } = world.hub;
    const answer = writing.answer.bind(writing);
    writing.answer = (request) =>
      answer(
        request.url.pathname === '/api/repos/create'
          ? { ...request, body: Buffer.from(String(request.body).replace('"private"', '"public"')) }
          : request,
      );
    await expect(pushed()).rejects.toMatchObject({
      code: 'hub.bad_answer',
      message: expect.stringContaining('it was to make it private, and did not; nothing was sent'),
    });
    expect(writes(world)).toHaveLength(1);
  });

  describe('a file that is another one by the time it is sent', () => {
    const card = '# Mine\n';

    /** An adapter with a card of its own that was shown, and whose file was then written anew. */
    async function changed(file: string, change: (before: Buffer) => Buffer, world: HubWorld) {
      const own = await tempFolder();
      await cp(folder, own, { recursive: true });
      await writeFile(path.join(own, 'README.md'), card);
      const planned = await plan({ folder: own });
      const place = path.join(own, file);
      await writeFile(place, change(await readFile(place)));
      await expect(push(planned, PATIENCE)).rejects.toMatchObject({
        code: 'hub.conflict',
        message: expect.stringContaining(`${place} was changed since it was shown; push again.`),
      });
      expect(Object.keys(content(world))).toEqual(['.gitattributes']);
      expect(writes(world).some(({ path }) => path.includes('/commit/'))).toBe(false);
    }

    test.each([
      ['of more bytes', () => Buffer.from('# Another one, and longer\n')],
      ['of as many bytes', () => Buffer.from('# Ours\n')],
    ])('%s, in the commit', async (_, change) => {
      await changed('README.md', change, await signedIn());
    });

    test.each([
      ['whole', Number.POSITIVE_INFINITY],
      ['in parts', 1000],
    ])('of as many bytes, beside it, %s', async (_, partBytes) => {
      const world = await signedIn();
      world.hub.writing.partBytes = partBytes;
      // The first part is sent by the time that it is known.
      const change = (before: Buffer) => Buffer.from(before.toReversed());
      await changed('adapter_model.safetensors', change, world);
    });

    test('with more at its end: what was shown is sent', async () => {
      const world = await signedIn();
      const own = await tempFolder();
      await cp(folder, own, { recursive: true });
      await writeFile(path.join(own, 'README.md'), card);
      const planned = await plan({ folder: own });
      await writeFile(path.join(own, 'README.md'), `${card}More of it.\n`);
      await push(planned, PATIENCE);
      expect(content(world)['README.md']).toBe(card);
    });
  });

  test('somebody else commits meanwhile: nothing of theirs is lost', async () => {
    const world = await signedIn();
    await pushed();
    const planned = await plan({ folder: path.join(folder, 'checkpoint-2') });
    world.hub.add(hubRepository('model', NAME, { 'other.txt': 'theirs' }, { access: 'private' }));
    await expect(push(planned, PATIENCE)).rejects.toMatchObject({
      code: 'hub.conflict',
      message: expect.stringContaining('was changed by somebody else meanwhile'),
    });
    expect(Object.keys(content(world))).toEqual(['other.txt']);
  });
});

describe('what may help is tried again', () => {
  test.each([
    ['a large file breaks off', /^\/lfs\//, { cutWhenReceived: 500 }],
    ['its storage has a problem', /^\/lfs\//, { status: 503 }],
    ['its address has run out', /^\/lfs\//, { status: 403 }],
    ['it arrives and the answer is lost', /^\/lfs\//, { cutWhenReceived: 'all' }],
    ['it cannot be verified', /verify$/, 'drop'],
    ['the question how to send it', /preupload/, 'drop'],
    ['the question where to', /batch$/, 'no-json'],
    ['the repository is made and the answer is lost', /create$/, { cutWhenReceived: 'all' }],
    ['the commit is not made', /commit/, { status: 502 }],
    ['the commit is made and the answer is lost', /commit/, { cutWhenReceived: 'all' }],
    ['the commit is made and the answer is none', /commit/, 'no-json'],
  ] as const)('%s', async (_, place, fault) => {
    const world = await signedIn();
    failing(world, place, fault);
    const planned = await plan();
    let last: DownloadState | undefined;
    const { commit } = await push(planned, {
      ...PATIENCE,
      onProgress: (state) => {
        last = state;
      },
    });
    expect(world.hub.find(NAME)!.commit).toBe(commit);
    expect(Object.keys(content(world))).toHaveLength(5);
    expect(last).toMatchObject({ done: planned.shown.bytes, total: planned.shown.bytes });
    // Not twice, whatever became of the answer.
    expect(
      writes(world).filter(({ path }) => path.includes('/commit/')).length,
    ).toBeLessThanOrEqual(2);
  });

  test('but not for ever', async () => {
    const world = await signedIn();
    failing(world, /^\/lfs\//, { cutWhenReceived: 500 }, 99);
    await expect(pushed()).rejects.toMatchObject({
      code: 'hub.unreachable',
      // Offline, a push is refused.
      message: expect.stringMatching(/; check the network, and try again\. somebody\/first, which/),
    });
    expect(Object.keys(content(world))).toEqual(['.gitattributes']);
  });
});

test('a push that fails tells of the repository that it has made', async () => {
  const world = await signedIn();
  failing(world, /preupload/, { status: 403 });
  const left = `${NAME}, which was made for this push, is there.`;
  await expect(pushed()).rejects.toMatchObject({ message: expect.stringContaining(left) });
  // It is no longer made by the next one.
  failing(world, /preupload/, { status: 403 });
  await expect(pushed()).rejects.toMatchObject({ message: expect.not.stringContaining(left) });
});

test.each([
  ['one after the other', undefined],
  ['at the same moment', 'There is a conflicting operation in progress'],
])(
  'of two pushes that make a repository %s, one says that the other has made it',
  async (_, said) => {
    const world = await signedIn();
    const [first, second] = [await plan(), await plan()];
    await push(first, PATIENCE);
    const { commit } = world.hub.find(NAME)!;
    if (said !== undefined)
      failing(world, /create$/, { status: 409, headers: { 'x-error-message': said } });
    await expect(push(second, PATIENCE)).rejects.toMatchObject({
      code: 'hub.conflict',
      message: `The repository ${NAME} was made by somebody else meanwhile, and nothing was sent; look at ${first.shown.page} and push again.`,
    });
    expect(world.hub.find(NAME)!.commit).toBe(commit);
  },
);

test('a hub that never answers is told in words', async () => {
  const world = await signedIn();
  world.hub.fault = ({ path: place }) => (place.includes('preupload') ? 'hang' : undefined);
  await expect(pushed({}, { silenceMs: 50, tries: 1 })).rejects.toMatchObject({
    code: 'hub.unreachable',
    message: expect.stringContaining('cannot be reached (no answer in time)'),
  });
});

test('cancelled, nothing is committed, and what was made is told', async () => {
  const world = await signedIn();
  const abort = new AbortController();
  world.hub.fault = ({ host }) => {
    if (host !== 'cdn') return undefined;
    abort.abort();
    return 'hang';
  };
  await expect(pushed({}, { signal: abort.signal })).rejects.toMatchObject({
    code: 'hub.cancelled',
    message: `The push was cancelled, and nothing was committed; ${NAME}, which was made for it, is there without it.`,
  });
  expect(Object.keys(content(world))).toEqual(['.gitattributes']);
});

test('cancelled while the new repository is looked at, it is told as well', async () => {
  const world = await signedIn();
  const planned = await plan();
  const abort = new AbortController();
  world.hub.fault = ({ path: place }) => {
    if (!place.includes('/tree/')) return undefined;
    abort.abort();
    return 'hang';
  };
  await expect(push(planned, { ...PATIENCE, signal: abort.signal })).rejects.toMatchObject({
    code: 'hub.cancelled',
    message: expect.stringContaining(`; ${NAME}, which was made for it, is there without it.`),
  });
});

describe('cancelled while the commit is asked for', () => {
  /** A push that is cancelled when its commit is asked for, of which that becomes. */
  async function cancelled(world: HubWorld, fault: Fault, branch?: Fault): Promise<PushResult> {
    const planned = await plan();
    const abort = new AbortController();
    let isAsked = false;
    world.hub.fault = ({ path: place }) => {
      if (place.includes('/commit/')) {
        isAsked = true;
        setTimeout(() => abort.abort(), 20);
        return fault;
      }
      return isAsked ? branch : undefined;
    };
    return push(planned, { ...PATIENCE, tries: 1, graceMs: 20, signal: abort.signal });
  }

  test('a commit that was made is the result, whatever was heard of it', async () => {
    const world = await signedIn();
    const { commit } = await cancelled(world, 'done-and-hang');
    expect(world.hub.find(NAME)!.commit).toBe(commit);
    expect(Object.keys(content(world))).toContain('README.md');
  });

  test('one that was not is told with where the branch is', async () => {
    const world = await signedIn();
    const before =
      /branch main of somebody\/first is where it was \([0-9a-f]{8}\), so that it was not made by now; look at http.*\/somebody\/first\/commits\/main before you push again\.$/;
    await expect(cancelled(world, 'hang')).rejects.toMatchObject({
      code: 'hub.cancelled',
      message: expect.stringMatching(before),
    });
  });

  test('where the hub is silent, nothing is claimed', async () => {
    const world = await signedIn();
    await expect(cancelled(world, 'done-and-hang', { status: 503 })).rejects.toMatchObject({
      code: 'hub.cancelled',
      message: expect.stringContaining('the hub does not say whether it was made'),
    });
  });
});
