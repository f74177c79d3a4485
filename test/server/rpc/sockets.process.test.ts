import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { connectLocally, listenLocally } from '../../../server/rpc/local-socket.ts';
import { ownSocketFolder } from '../../../server/rpc/socket-folder.ts';
import { bundledProgram } from '../../support/bundled-program.ts';

/** Starts a process that listens; resolves with the name of its socket. */
async function listener(script: string): Promise<{ child: ChildProcess; name: string }> {
  const child = fork(script, { execArgv: [] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const [name] = (await once(child, 'message')) as [string];
  return { child, name };
}

test.skipIf(process.platform === 'win32')(
  'sockets of processes that were killed go with the next one, those of halted ones stay',
  async () => {
    const script = await bundledProgram(path.join(import.meta.dirname, 'listeners/listener.ts'));
    const halted = await listener(script);
    halted.child.kill('SIGSTOP');
    const killed = await Promise.all(Array.from({ length: 6 }, () => listener(script)));
    for (const { child } of killed) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    // Several at once sweep as one does.
    const servers = await Promise.all([1, 2, 3].map(() => listenLocally(() => undefined)));
    const names = await readdir(await ownSocketFolder());
    for (const { name } of killed) expect(names).not.toContain(name);
    for (const { name } of [halted, ...servers]) {
      expect(names).toContain(name);
      (await connectLocally(name)).dispose();
    }
    await Promise.all(servers.map((server) => server.close()));
  },
);
