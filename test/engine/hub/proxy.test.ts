import { afterEach, describe, expect, test, vi } from 'vitest';
import { HubConnection } from '../../../engine/hub/hub-connection.ts';
import { HubError } from '../../../engine/hub/hub-error.ts';
import { giveProxy, proxyOf, proxySettings } from '../../../engine/hub/proxy.ts';
import { subjectOf } from '../../../engine/hub/repository.ts';
import { lookAtData } from '../../../engine/inputs/look-at-data.ts';
import { HubWorld } from '../../support/hub-server/hub-world.ts';
import { encrypted, ProxyServer } from '../../support/hub-server/proxy-server.ts';
import { metaMathRepository } from '../../support/hub-server/tiny-repositories.ts';

const IMPATIENT = { tries: 1, silenceMs: 2000 };
const NAME = {
  repository: metaMathRepository().name,
  revision: 'main',
  part: undefined,
  slice: '',
};

afterEach(() => {
  vi.unstubAllEnvs();
});

describe('the environment', () => {
  const via = (url: string, env: Readonly<Record<string, string>>) =>
    proxyOf(new URL(url), proxySettings(env));

  test('has a proxy for each protocol, small letters first', () => {
    const env = { HTTP_PROXY: 'http://plain:1', HTTPS_PROXY: 'http://safe:2' };
    expect(via('http://hub.co/', env)).toBe('plain:1');
    expect(via('https://hub.co/', env)).toBe('safe:2');
    expect(via('https://hub.co/', { ...env, https_proxy: 'http://small:3' })).toBe('small:3');
    expect(via('https://hub.co/', { HTTP_PROXY: 'http://plain:1' })).toBeUndefined();
    expect(via('https://hub.co/', { ...env, https_proxy: '' })).toBeUndefined();
    expect(via('https://hub.co/', { HTTPS_PROXY: 'name:secret@safe:2' })).toBe('safe:2');
  });

  test.each([
    ['hub.co', true],
    ['.hub.co', true],
    ['*.hub.co', true],
    ['other.co, HUB.co', true],
    ['hub.co:443', true],
    ['hub.co:8443', false],
    ['ub.co', false],
    ['*', true],
    ['', false],
  ])('leaves out the hosts of NO_PROXY: %j', (except, isDirect) => {
    const env = { HTTPS_PROXY: 'http://safe:2', NO_PROXY: except };
    expect(via('https://cdn.hub.co/', env)).toBe(isDirect ? undefined : 'safe:2');
  });

  test.each(['socks4://name:secret@x:1', 'http://', 'http://name:secret@x:port'])(
    'that holds no address says so, and not what it holds: %s',
    (address) => {
      const read = () => proxySettings({ HTTPS_PROXY: address });
      expect(read).toThrow(/^The variable HTTPS_PROXY \(or the setting http\.proxy\) holds no/);
      expect(read).not.toThrow(/secret/);
    },
  );
});

test('a proxy that is given goes before that of the environment, for those who are started too', () => {
  const of = (url: string) => proxyOf(new URL(url), proxySettings());
  const before = { ...process.env };
  giveProxy('http://given:3', ['hub.co']);
  expect([of('https://x.co/'), of('http://x.co/'), of('https://hub.co/')]).toEqual([
    'given:3',
    'given:3',
    undefined,
  ]);
  expect(process.env).toMatchObject({
    HTTP_PROXY: 'http://given:3',
    HTTPS_PROXY: 'http://given:3',
  });
  giveProxy(undefined);
  expect(process.env).toEqual(before);
});

describe('a proxy', () => {
  async function behindProxy() {
    const world = await HubWorld.create(metaMathRepository());
    const proxy = await ProxyServer.start();
    vi.stubEnv('HTTP_PROXY', `http://${proxy.host}`);
    return { world, proxy };
  }

  test('passes on what is not encrypted: questions, files and what they lead to', async () => {
    const { world, proxy } = await behindProxy();
    expect((await lookAtData(NAME, 3, IMPATIENT)).rows).toHaveLength(3);
    expect(proxy.requests[0]).toContain(
      `GET ${world.hub.endpoint}/api/datasets/${NAME.repository}/revision/main?`,
    );
    expect(proxy.requests).toHaveLength(world.hub.requests.length);
    proxy.requests.length = 0;
    vi.stubEnv('NO_PROXY', '127.0.0.1');
    await lookAtData(NAME, 3, IMPATIENT);
    expect(proxy.requests).toEqual([]);
  });

  test('that wants a password is given it, and refuses another one with a sentence', async () => {
    const { proxy } = await behindProxy();
    proxy.password = 'name:p@ss';
    const refused = lookAtData(NAME, 3, IMPATIENT);
    await expect(refused).rejects.toMatchObject({ code: 'hub.bad_proxy' });
    await expect(refused).rejects.toThrow(
      `The proxy ${proxy.host} wants another name and password`,
    );
    vi.stubEnv('HTTP_PROXY', `http://name:p%40ss@${proxy.host}`);
    expect((await lookAtData(NAME, 3, IMPATIENT)).rows).toHaveLength(3);
  });

  test('that is not there is named, without its password', async () => {
    const { world, proxy } = await behindProxy();
    vi.stubEnv('HTTP_PROXY', `http://name:secret@${proxy.host}`);
    await proxy.close();
    const failed = lookAtData(NAME, 3, IMPATIENT);
    await expect(failed).rejects.toThrow(
      `${world.hub.endpoint} cannot be reached through the proxy ${proxy.host} (ECONNREFUSED); check HTTPS_PROXY`,
    );
    await expect(failed).rejects.not.toThrow(/secret/);
  });

  test('opens a tunnel for what is encrypted, of which it reads the host alone', async () => {
    const { world, proxy } = await behindProxy();
    vi.stubEnv('HTTPS_PROXY', `http://${proxy.host}`);
    const endpoint = await encrypted(world.hub.endpoint);
    const connection = new HubConnection({ endpoint }, { token: 'hf_secret', ...IMPATIENT });
    const repository = { kind: 'dataset', name: NAME.repository } as const;
    const asked = connection.get(`${endpoint}/x`, subjectOf(repository, 'main', connection));
    // This process does not believe in the certificate; one that does is tried with the command line.
    await expect(asked).rejects.toThrow(/\(DEPTH_ZERO_SELF_SIGNED_CERT\)/);
    await expect(asked).rejects.toBeInstanceOf(HubError);
    expect(proxy.requests).toEqual([`CONNECT ${new URL(endpoint).host}`]);
    expect(proxy.seen).not.toContain('secret');
    expect(world.hub.requests).toEqual([]);
    proxy.password = 'name:other';
    await expect(
      connection.get(`${endpoint}/x`, subjectOf(repository, 'main', connection)),
    ).rejects.toMatchObject({ code: 'hub.bad_proxy' });
  });
});
