import { stat } from 'node:fs/promises';
import net from 'node:net';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { connectLocally } from '../../../server/rpc/local-socket.ts';
import { addressOf } from '../../../server/rpc/socket-name.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { ScriptedRun, scriptedJob } from './scripted-runs.ts';

async function hangingRun() {
  const run = await ScriptedRun.start(scriptedJob(await tempFolder(), ['started', 'hang']));
  const { address } = run;
  const socket = await addressOf(address);
  await run.untilState('running');
  onTestFinished(async () => {
    run.supervisor.act('cancel');
    run.supervisor.act('cancel');
    await run.ended;
    await expect(stat(socket)).rejects.toThrow('ENOENT');
  });
  return { run, address, socket };
}

async function connect(address: string) {
  const connection = await connectLocally(address);
  onTestFinished(() => connection.dispose());
  connection.listen();
  return connection;
}

test.skipIf(process.platform === 'win32')('only the user can reach the socket', async () => {
  const { socket } = await hangingRun();
  expect((await stat(socket)).mode & 0o777).toBe(0o600);
  expect((await stat(path.dirname(socket))).mode & 0o777).toBe(0o700);
});

test('answers while the step hangs, to everyone who is connected', async () => {
  const { run, address } = await hangingRun();
  const [first, second] = [await connect(address), await connect(address)];
  for (const connection of [first, second]) {
    expect(await connection.sendRequest('trainer/hello', { protocolVersion: 1 })).toMatchObject({
      protocolVersion: 1,
      folder: run.supervisor.folder,
      status: { state: 'running' },
    });
  }
  const told = new Promise((resolve) => second.onNotification('trainer/status', resolve));
  expect(await first.sendRequest('trainer/control', { action: 'pause' })).toMatchObject({
    state: 'pausing',
  });
  expect(await told).toMatchObject({ state: 'pausing' });
  expect(await second.sendRequest('trainer/getStatus', {})).toEqual(run.supervisor.status);
});

test('refuses another version of the protocol, and requests before the greeting', async () => {
  const { address } = await hangingRun();
  const connection = await connect(address);
  await expect(
    connection.sendRequest('trainer/hello', { protocolVersion: 2 }),
  ).rejects.toMatchObject({
    code: -32002,
    message: 'The trainer speaks version 1 of its protocol, not 2.',
    data: { protocolVersion: 1 },
  });
  await expect(connection.sendRequest('trainer/getStatus', {})).rejects.toThrow(
    'The trainer expects a hello before other requests.',
  );
});

test('wrong parameters are answered with what is wrong', async () => {
  const { address } = await hangingRun();
  const connection = await connect(address);
  await connection.sendRequest('trainer/hello', { protocolVersion: 1 });
  await expect(
    connection.sendRequest('trainer/control', { action: 'explode' }),
  ).rejects.toMatchObject({ code: -32602, message: expect.stringContaining('action') as string });
  await expect(connection.sendRequest('trainer/unheard-of', {})).rejects.toMatchObject({
    code: -32601,
  });
  await expect(
    connection.sendRequest('trainer/control', { action: 'resume' }),
  ).resolves.toBeTruthy();
});

test.each([
  ['another protocol', 'GET / HTTP/1.1\r\n\r\n'],
  ['broken JSON', 'Content-Length: 3\r\n\r\n{]}'],
  ['bytes', '\0\xff'.repeat(9000)],
])('garbage on the wire ends that connection and no other: %s', async (_name, garbage) => {
  const { address, socket } = await hangingRun();
  const connection = await connect(address);
  await connection.sendRequest('trainer/hello', { protocolVersion: 1 });
  const stranger = net.connect(socket);
  const closed = new Promise((resolve) => stranger.once('close', resolve));
  stranger.on('error', () => undefined);
  stranger.end(garbage);
  stranger.resume();
  await closed;
  expect(await connection.sendRequest('trainer/getStatus', {})).toMatchObject({
    state: 'running',
  });
});
