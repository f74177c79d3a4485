import { once } from 'node:events';
import { chmod, chown, mkdir, readdir, rename, stat, symlink, utimes } from 'node:fs/promises';
import net from 'node:net';
import path from 'node:path';
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { ownTag, processOf } from '../../../engine/process-mark.ts';
import { connectLocally, listenLocally } from '../../../server/rpc/local-socket.ts';
import { ownSocketFolder, socketFolders } from '../../../server/rpc/socket-folder.ts';
import { addressOf, freshSocketName, socketOwner } from '../../../server/rpc/socket-name.ts';
import { sweepSockets } from '../../../server/rpc/sweep-sockets.ts';
import { tempFolder } from '../../support/temp-folder.ts';

/** More than any system has. */
const NO_PROCESS = 4_194_304 * 2;

async function privateFolder(): Promise<string> {
  const folder = path.join(await tempFolder(), 's');
  await mkdir(folder, { mode: 0o700 });
  return folder;
}

async function listen(address: string): Promise<{ server: net.Server; calls: () => number }> {
  let calls = 0;
  const server = net.createServer(() => {
    calls += 1;
  });
  server.listen(address);
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return { server, calls: () => calls };
}

/** Leaves a socket as a process that was killed does. */
async function deadSocket(address: string): Promise<void> {
  const { server } = await listen(`${address}x`);
  // The server removes the name that it knows.
  await rename(`${address}x`, address);
  server.close();
}

afterEach(() => void vi.unstubAllEnvs());

test('a socket is found by its name, and gone after its end', async () => {
  const server = await listenLocally((connection) => {
    connection.onRequest('ping', () => 'pong');
    connection.listen();
  });
  expect(socketOwner(server.name)).toBe(ownTag());
  expect(processOf(ownTag())).toBe(process.pid);
  const address = await addressOf(server.name);
  const connection = await connectLocally(server.name);
  connection.listen();
  expect(await connection.sendRequest('ping')).toBe('pong');
  await server.close();
  await expect(stat(address)).rejects.toThrow('ENOENT');
  await expect(connectLocally(server.name)).rejects.toThrow('its socket is not here');
});

describe.skipIf(process.platform === 'win32')('the place of sockets', () => {
  test('is found whatever the environment says, and short enough', async () => {
    const before = await ownSocketFolder();
    vi.stubEnv('TMPDIR', `/tmp/${'long'.repeat(50)}`);
    vi.stubEnv('XDG_RUNTIME_DIR', 'relative');
    expect(await ownSocketFolder()).toBe(before);
    expect(socketFolders()).toEqual([`/tmp/lorafa-${process.getuid!()}`]);
    const { name, close } = await listenLocally(() => undefined);
    expect(Buffer.byteLength(await addressOf(name))).toBeLessThanOrEqual(100);
    await close();
  });

  test('is passed over where others may come in', async () => {
    const parent = await tempFolder();
    const [open, link, lax, good] = ['open', 'link', 'lax/s', 'good'].map((name) =>
      path.join(parent, name),
    );
    await mkdir(open!, { mode: 0o700 });
    await chmod(open!, 0o750);
    await symlink(await tempFolder(), link!);
    await mkdir(path.dirname(lax!));
    await chmod(path.dirname(lax!), 0o777);
    const missing = path.join(parent, 'no/such/parent');
    const unusable = [open!, link!, lax!, missing];
    expect(await ownSocketFolder([...unusable, good!])).toBe(good);
    expect((await stat(good!)).mode & 0o777).toBe(0o700);
    await expect(ownSocketFolder(unusable)).rejects.toMatchObject({
      code: 'output.not_writable',
      message: expect.stringContaining('another user can write there') as string,
    });
  });

  test.runIf(process.getuid?.() === 0)('is passed over where it is another user’s', async () => {
    const folder = await privateFolder();
    await chown(folder, 12345, 12345);
    await expect(ownSocketFolder([folder])).rejects.toThrow('There is no private folder');
  });
});

test('what is no name of ours is not connected to', async () => {
  const outside = path.join(await tempFolder(), 'agent');
  const { calls } = await listen(outside);
  const up = path.relative(await ownSocketFolder(), outside);
  const name = path.join(path.dirname(outside), freshSocketName());
  for (const address of [outside, up, name, `./${freshSocketName()}`, '', '.', '\0', '80']) {
    await expect(connectLocally(address)).rejects.toThrow('what it gives as its address is none');
  }
  expect(calls()).toBe(0);
});

describe.skipIf(process.platform === 'win32')('sweeping', () => {
  test('removes what nobody listens at, and nothing else', async () => {
    const folder = await privateFolder();
    const at = (name: string): string => path.join(folder, name);
    const own = freshSocketName();
    const lost = freshSocketName().replace(/^\d+/, String(NO_PROCESS));
    const contained = freshSocketName().replace(/^\d+/, String(NO_PROCESS));
    const [young, old] = ['1', '2'].map((end) => `.${lost.slice(0, -1)}${end}`);
    for (const name of [own, lost, young!, old!, 'other']) await deadSocket(at(name));
    const hourAgo = new Date(Date.now() - 3_600_000);
    await utimes(at(old!), hourAgo, hourAgo);
    // Of a process that is out of sight, as in a container that has the same folder.
    const { calls } = await listen(at(contained));
    await sweepSockets(folder);
    expect((await readdir(folder)).toSorted()).toEqual([young, own, contained, 'other'].toSorted());
    await expect.poll(calls).toBe(1);
  });

  // Elsewhere nothing tells when a process started.
  test.runIf(process.platform === 'linux')('knows ids that are used again', async () => {
    const folder = await privateFolder();
    const earlier = freshSocketName().replace(/_\d+/, '_1');
    await deadSocket(path.join(folder, earlier));
    await sweepSockets(folder);
    expect(await readdir(folder)).toEqual([]);
  });
});
