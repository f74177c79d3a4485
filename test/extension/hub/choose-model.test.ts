import { beforeEach, describe, expect, test, vi } from 'vitest';
import { type CancellationToken, ResponseError } from 'vscode-jsonrpc';
import type { HubEntry } from '../../../engine/hub/search-hub.ts';
import type { TrainingMemory } from '../../../engine/plan/training-memory.ts';
import { chooseFromModels } from '../../../extension/hub/choose-model.ts';
import {
  estimateStarter,
  listStarters,
  lookAtModel,
  searchHub,
} from '../../../server/protocol/hub.ts';
import { type FoundModel, listModels } from '../../../server/protocol/models.ts';
import { RPC_ERRORS } from '../../../server/rpc/message.ts';
import { drawnLabel } from '../../support/hostile-texts.ts';
import { type Input, shown } from '../../support/vscode-window.ts';

vi.mock('vscode', () => import('../../support/vscode-window.ts'));

const GIB = 2 ** 30;
const FITS: TrainingMemory = { stored: GIB, nf4: null, limit: 8 * GIB };
const ONLY_NF4: TrainingMemory = { stored: 9 * GIB, nf4: 6 * GIB, limit: 8 * GIB };

/** A server that answers by what it is asked for. */
class FakeServer {
  readonly asked: (readonly [method: string, params: unknown])[] = [];
  readonly answers = new Map<string, (params: never, token?: CancellationToken) => unknown>();

  async ask({ method }: { method: string }, params: never, token?: CancellationToken) {
    this.asked.push([method, params]);
    return this.answers.get(method)!(params, token);
  }

  countOf({ method }: { method: string }): number {
    return this.asked.filter(([asked]) => asked === method).length;
  }
}

function failure(code: string, message: string): ResponseError<unknown> {
  return new ResponseError(RPC_ERRORS.failed, message, { code });
}

const HERE: FoundModel = {
  ...{ path: '/models/own', name: 'own', origin: 'workspace', bytes: 5e6, contextLength: 100 },
  problem: null,
};
const CACHED: FoundModel = { ...HERE, path: '/hf/x', name: 'a/cached', origin: 'huggingface' };
const STARTER = { name: 'a/small', licence: 'apache-2.0', isGated: false, bytes: 3e8 };

function entry(name: string, more: Partial<HubEntry> = {}): HubEntry {
  return {
    ...{ name, licence: 'mit', isGated: false, downloads: 5, bytes: 2e9, isGguf: false },
    ...{ rows: null, ...more },
  };
}

function worldOf() {
  const server = new FakeServer();
  server.answers.set(listModels.method, () => [HERE, CACHED]);
  server.answers.set(listStarters.method, () => ({ models: [STARTER], data: [] }));
  server.answers.set(estimateStarter.method, () => FITS);
  server.answers.set(lookAtModel.method, () => ({ download: 1, memory: FITS }));
  server.answers.set(searchHub.method, () => []);
  const log = { error: () => undefined, show: () => undefined };
  const choosing = chooseFromModels({ server, log } as never, undefined, {
    ...{ title: 'Get', placeHolder: 'type', shownPath: (path: string) => path },
    ...{ here: [], elsewhere: [] },
  });
  return { server, choosing };
}

/** The list that is shown last. */
function input(): Input {
  return shown.findLast(({ to }) => to === 'input')!.args[0] as Input;
}

interface Drawn {
  readonly label: string;
  readonly description?: string;
  readonly detail?: string;
  readonly alwaysShow?: boolean;
}

function find(text: string): Drawn | undefined {
  return (input().items as Drawn[]).find(({ label }) => drawnLabel(label).includes(text));
}

async function choose(text: string): Promise<void> {
  await vi.waitUntil(() => find(text));
  input().selectedItems = [find(text)];
  input().accept();
}

beforeEach(() => {
  shown.length = 0;
});

describe('before anything is typed', () => {
  test('models of this machine, then well-known ones; nobody is asked for them', async () => {
    const { server, choosing } = worldOf();
    await vi.waitUntil(() => find('a/small')?.detail?.startsWith('Trains in 1.0 GiB'));
    expect((input().items as Drawn[]).map(({ label }) => drawnLabel(label))).toEqual([
      'on this machine',
      expect.stringContaining('own'),
      expect.stringContaining('a/cached'),
      'Hugging Face',
      expect.stringContaining('a/small'),
    ]);
    expect(find('a/small')).toMatchObject({ description: '286 MiB · Apache 2.0' });
    expect(find('own')?.detail).toMatch(/^Trains/);
    expect(server.countOf(searchHub)).toBe(0);
    expect(server.asked.filter(([method]) => method === lookAtModel.method)).toEqual([
      [lookAtModel.method, { name: HERE.path }],
      [lookAtModel.method, { name: CACHED.path }],
    ]);
    input().hide();
    expect(await choosing).toBeUndefined();
  });

  test('a model here goes by its path, or by its name on the Hub', async () => {
    const own = worldOf();
    await choose('own');
    expect(await own.choosing).toEqual({ input: { path: HERE.path }, isHere: true, nf4: false });
    const cached = worldOf();
    await choose('a/cached');
    expect(await cached.choosing).toEqual({ input: { hub: 'a/cached' }, isHere: true, nf4: false });
  });

  test('a well-known one is looked at when it is chosen', async () => {
    const { server, choosing } = worldOf();
    server.answers.set(lookAtModel.method, () => ({ download: 1, memory: ONLY_NF4 }));
    await choose('a/small');
    expect(await choosing).toEqual({ input: { hub: 'a/small' }, isHere: false, nf4: true });
  });
});

describe('a search', () => {
  test('waits for a pause, and only the last one counts', async () => {
    const { server, choosing } = worldOf();
    const cancelled = new Map<string, boolean>();
    server.answers.set(searchHub.method, async ({ text }: { text: string }, token) => {
      if (text === 'sm') await new Promise((resolve) => token!.onCancellationRequested(resolve));
      cancelled.set(text, token!.isCancellationRequested);
      return [entry(`found/${text}`)];
    });
    await vi.waitUntil(() => find('a/small'));
    input().type('s');
    input().type('sm');
    await vi.waitUntil(() => server.countOf(searchHub) === 1);
    expect(input().busy).toBe(true);
    input().type('sma');
    input().type('smal');
    await vi.waitUntil(() => find('found/smal'));
    expect(server.asked.filter(([method]) => method === searchHub.method)).toEqual([
      [searchHub.method, { kind: 'model', text: 'sm' }],
      [searchHub.method, { kind: 'model', text: 'smal' }],
    ]);
    expect(Object.fromEntries(cancelled)).toEqual({ sm: true, smal: false });
    expect(find('found/smal')?.alwaysShow).toBe(true);
    await vi.waitUntil(() => find('found/smal')?.detail?.startsWith('Trains'));
    await choose('found/smal');
    expect(await choosing).toMatchObject({ input: { hub: 'found/smal' }, isHere: false });
  });

  test('that finds nothing, or cannot be made, says so and what to do', async () => {
    const { server } = worldOf();
    input().type('nothing');
    await vi.waitUntil(() => find('No model with “nothing”'));
    server.answers.set(searchHub.method, () => {
      throw failure('hub.offline', 'HF_HUB_OFFLINE says not to ask the hub.');
    });
    input().type('other');
    await vi.waitUntil(() => find('could not be searched'));
    expect(find('could not be searched')?.detail).toMatch(/^HF_HUB_OFFLINE/);
    server.answers.set(searchHub.method, () => [entry('found/other')]);
    await choose('could not be searched');
    await vi.waitUntil(() => find('found/other'));
    expect(input().value).toBe('other');
    input().hide();
  });

  test('whose results cannot be looked at for now asks no more, and shows the rest', async () => {
    const { server } = worldOf();
    const looks: string[] = [];
    server.answers.set(searchHub.method, () => [entry('found/1'), entry('found/2')]);
    server.answers.set(lookAtModel.method, ({ name }: { name: string }) => {
      looks.push(name);
      if (!name.startsWith('found')) return { download: 1, memory: FITS };
      throw failure('hub.rate_limited', 'The hub takes no more requests for a while.');
    });
    input().type('found');
    await vi.waitUntil(() => find('found/1')?.detail?.startsWith('The hub takes no more'));
    await vi.waitUntil(() => find('a/small')?.detail?.startsWith('Trains'));
    expect(find('found/2')?.detail).toBeUndefined();
    expect(looks).not.toContain('found/2');
    input().hide();
  });

  test('of which one is gated: signing in is a choice, and the search is there again', async () => {
    const { server, choosing } = worldOf();
    server.answers.set(searchHub.method, () => [entry('found/secret', { isGated: true })]);
    server.answers.set(lookAtModel.method, ({ name }: { name: string }) => {
      if (name !== 'found/secret') return { download: 1, memory: FITS };
      throw failure('hub.gated', 'Access to it is given on request.');
    });
    input().type('secret');
    await vi.waitUntil(() => find('found/secret')?.detail?.startsWith('Choose it to ask'));
    await choose('found/secret');
    await vi.waitUntil(() => find('Sign in to Hugging Face'));
    expect(shown.find(({ to }) => to === 'error')?.args[0]).toBe(
      'Access to it is given on request.',
    );
    server.answers.set(lookAtModel.method, () => ({ download: 1, memory: FITS }));
    await choose('Sign in to Hugging Face');
    await vi.waitUntil(() => find('found/secret')?.detail?.startsWith('Trains'));
    expect(find('Sign in')).toBeUndefined();
    expect(shown.find(({ to }) => to === 'command')?.args[0]).toBe('lorafa.signIn');
    await choose('found/secret');
    expect(await choosing).toMatchObject({ input: { hub: 'found/secret' } });
  });
});
