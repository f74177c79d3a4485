import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import net from 'node:net';
import path from 'node:path';
import { afterEach, expect, onTestFinished, test, vi } from 'vitest';
import { LOCK_FILE, RunLock } from '../../../engine/train/run-lock.ts';
import { readRunFolder } from '../../../server/runs/run-summary.ts';
import { isFinal } from '../../../server/trainer/run-status.ts';
import { readStateFile, writeStateFile } from '../../../server/trainer/state-file.ts';
import { useRealRuns } from './real-runs.ts';

/** Run folders as others may have left them in a workspace. */

const runs = useRealRuns();

afterEach(() => void vi.unstubAllEnvs());

/** A socket of another program, and how often somebody spoke to it. */
async function foreignAgent(): Promise<{ address: string; calls: () => number }> {
  const folder = await mkdtemp('/tmp/agent-');
  const address = path.join(folder, 'agent');
  let calls = 0;
  const server = net.createServer((socket) => {
    calls += 1;
    socket.destroy();
  });
  server.listen(address);
  await once(server, 'listening');
  onTestFinished(async () => {
    server.close();
    await rm(folder, { recursive: true });
  });
  return { address, calls: () => calls };
}

test.skipIf(process.platform === 'win32')(
  'a socket that a state file names is not spoken to and not removed',
  async () => {
    const { address, calls } = await foreignAgent();
    const observed = runs().observe();
    const folder = await runs().startEndless(observed);
    const state = (await readStateFile(folder))!;
    await observed.manager.control(folder, 'stop');
    await observed.untilRun(folder, ({ isLive }) => !isLive);
    await writeStateFile(folder, { ...state, address });
    // Listed as what its lock says is live, and as one that has ended.
    const lock = await RunLock.acquire(folder);
    const { summary, trainer } = (await readRunFolder(folder))!;
    expect({ isLive: summary.isLive, told: trainer?.address }).toEqual({
      isLive: true,
      told: address,
    });
    const listed = (await runs().observe().manager.list()).find((run) => run.folder === folder);
    expect(listed).toMatchObject({
      isLive: true,
      isSteerable: false,
      unheard: expect.stringContaining('what it gives as its address is none') as string,
    });
    await lock.release();
    await runs().observe().manager.list();

    await observed.manager.resume(folder, 'latest', 'parallel');
    await observed.manager.control(folder, 'cancel');
    await observed.untilRun(folder, ({ isLive, status }) => !isLive && isFinal(status.state));
    expect(calls()).toBe(0);
    // The agent still listens.
    const socket = net.connect(address);
    await once(socket, 'close');
    expect(calls()).toBe(1);
  },
);

test
  .skipIf(process.platform === 'win32')
  .each(['run.log', 'state.json', LOCK_FILE, 'events.jsonl'])(
  '%s that leads elsewhere: nothing is written there',
  async (name) => {
    const observed = runs().observe();
    const { configFile, folder } = await runs().configured({ max_steps: 2 });
    await mkdir(folder);
    const outside = `${folder}-outside`;
    await writeFile(outside, 'untouched\n');
    await symlink(outside, path.join(folder, name));
    const started = observed.manager.start(configFile, 'parallel');
    if (name === 'run.log') {
      await expect(started).rejects.toThrow(
        `Cannot write to ${path.join(folder, name)}: a link is in its place; remove it`,
      );
    } else if (name === 'events.jsonl') {
      await expect(started).rejects.toMatchObject({ code: 'output.not_writable' });
    } else {
      await started;
      const { status } = await observed.untilRun(folder, ({ isLive }) => !isLive);
      expect(status.state).toBe('completed');
    }
    expect(await readFile(outside, 'utf8')).toBe('untouched\n');
  },
);

test.skipIf(process.platform === 'win32')(
  'a run starts where temporary files have a long path, and is found from elsewhere',
  async () => {
    const elsewhere = runs().observe();
    const long = path.join(runs().built.folder, 'long'.repeat(40));
    await mkdir(long);
    vi.stubEnv('TMPDIR', long);
    const folder = await runs().startEndless(runs().observe());
    vi.unstubAllEnvs();
    await elsewhere.manager.list();
    expect((await elsewhere.manager.control(folder, 'cancel')).state).toBe('stopping');
    await elsewhere.untilRun(folder, ({ isLive }) => !isLive);
  },
);

test.skipIf(process.platform === 'win32')('a run folder that is a link is one', async () => {
  const observed = runs().observe();
  const { configFile, folder } = await runs().configured({ max_steps: 2 });
  const bigDisk = `${folder}-big-disk`;
  await mkdir(bigDisk);
  await symlink(bigDisk, folder);
  await observed.manager.start(configFile, 'parallel');
  const { status } = await observed.untilRun(folder, ({ isLive }) => !isLive);
  expect(status.state).toBe('completed');
  expect(await readFile(path.join(bigDisk, 'run.log'), 'utf8')).toContain('state completed');
});
