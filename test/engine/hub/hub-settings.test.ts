import { writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { hubCacheFolder, hubSettings } from '../../../engine/hub/hub-settings.ts';
import { giveHubToken, hubToken } from '../../../engine/hub/hub-token.ts';
import { tempFolder } from '../../support/temp-folder.ts';

afterEach(() => giveHubToken(undefined));

test.each([
  [{ HF_HUB_CACHE: '/hub', HF_HOME: '/home' }, '/hub'],
  [{ HUGGINGFACE_HUB_CACHE: '/old', HF_HOME: '/home' }, '/old'],
  [{ HF_HOME: '/home' }, '/home/hub'],
  [{ HF_HOME: '~/hf' }, path.join(homedir(), 'hf/hub')],
  [{ XDG_CACHE_HOME: '/cache' }, '/cache/huggingface/hub'],
  [{}, path.join(homedir(), '.cache/huggingface/hub')],
])('the cache of %j', (env, folder) => {
  expect(hubCacheFolder(env)).toBe(path.resolve(folder));
});

test('the endpoint is the Hub, or a mirror', () => {
  expect(hubSettings({}).endpoint).toBe('https://huggingface.co');
  expect(hubSettings({ HF_ENDPOINT: 'https://mirror.example/hf/' }).endpoint).toBe(
    'https://mirror.example/hf',
  );
  for (const text of ['mirror', 'file:///etc', 'javascript:1']) {
    expect(() => hubSettings({ HF_ENDPOINT: text })).toThrow(/HF_ENDPOINT holds no address/);
  }
  expect(() => hubSettings({ HF_ENDPOINT: 'https://name:word@mirror.example' })).toThrow(
    /^The variable HF_ENDPOINT holds a name or a password, which are not sent; [^@]*$/,
  );
});

test.each(['1', 'true', 'YES', 'on'])('HF_HUB_OFFLINE=%s', (value) => {
  expect(hubSettings({ HF_HUB_OFFLINE: value }).isOffline).toBe(true);
  expect(hubSettings({ HF_HUB_OFFLINE: '0' }).isOffline).toBe(false);
});

test('a token comes from whoever started the process, from HF_TOKEN, or from the token file', async () => {
  const home = await tempFolder();
  expect(await hubToken({ HF_HOME: home })).toBeUndefined();
  await writeFile(path.join(home, 'token'), 'hf_file\n');
  expect(await hubToken({ HF_HOME: home })).toBe('hf_file');
  const env = { HF_HOME: home, HF_TOKEN: 'hf_variable' };
  expect(await hubToken(env)).toBe('hf_variable');
  giveHubToken('hf_given');
  expect(await hubToken(env)).toBe('hf_given');
});

test('what can be no token is refused and not quoted', async () => {
  const error = await hubToken({ HF_TOKEN: 'hf_sec ret\r\nx-header: 1' }).catch(String);
  expect(error).toMatch(/The access token in HF_TOKEN holds characters/);
  expect(error).not.toContain('sec');
});
