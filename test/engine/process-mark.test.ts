import { spawn } from 'node:child_process';
import { once } from 'node:events';
import os from 'node:os';
import { describe, expect, onTestFinished, test } from 'vitest';
import { lifeOf, ownMark, type ProcessMark } from '../../engine/process-mark.ts';

/** A process that does nothing until the test ends, or has ended already. */
async function otherProcess(isAlive: boolean): Promise<number> {
  const child = spawn(process.execPath, ['-e', isAlive ? 'setInterval(() => {}, 1000)' : '']);
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child, isAlive ? 'spawn' : 'exit');
  return child.pid!;
}

test('this process lives', async () => {
  expect(await ownMark()).toMatchObject({ pid: process.pid, host: os.hostname() });
  expect(await lifeOf(await ownMark())).toBe(process.platform === 'linux' ? 'alive' : 'unknown');
});

describe.runIf(process.platform === 'linux')('on Linux', () => {
  test.each<[string, Partial<ProcessMark>, string]>([
    ['the host has another name now', { host: 'renamed' }, 'alive'],
    ['the id is used again', { started: '1' }, 'gone'],
    ['before the computer was started again, or on another one', { boot: 'other' }, 'unknown'],
    ['in another container', { namespace: 'pid:[1]' }, 'unknown'],
    ['where containers cannot be told apart', { namespace: null }, 'unknown'],
    ['on a computer that does not say when it was started', { boot: null }, 'unknown'],
  ])('a process like this one, but %s', async (_name, change, life) => {
    expect(await lifeOf({ ...(await ownMark()), ...change })).toBe(life);
  });

  test('a process that has ended is gone, under whatever host name', async () => {
    const mark = { ...(await ownMark()), pid: await otherProcess(false), host: 'renamed' };
    expect(await lifeOf(mark)).toBe('gone');
  });

  test('nobody asked yet how it ended: it is gone all the same', async () => {
    // The shell becomes a program that does not ask for its children.
    const shell = spawn('sh', ['-c', 'true & echo $!; exec sleep 60']);
    onTestFinished(() => void shell.kill('SIGKILL'));
    const [text] = (await once(shell.stdout, 'data')) as [Buffer];
    const pid = Number.parseInt(text.toString(), 10);
    const mark = { ...(await ownMark()), pid, started: null };
    await expect.poll(() => lifeOf(mark)).toBe('gone');
  });
});

describe('marks of version 0.1, which have a host name only', () => {
  const host = os.hostname();

  test('a process that is not there is gone, one that is there may be another', async () => {
    const [alive, dead] = [await otherProcess(true), await otherProcess(false)];
    expect(await lifeOf({ pid: dead, host, started: null })).toBe('gone');
    expect(await lifeOf({ pid: alive, host, started: null })).toBe('unknown');
    expect(await lifeOf({ pid: dead, host: 'elsewhere', started: null })).toBe('unknown');
  });
});
