import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { initialStatus } from '../../../server/trainer/run-status.ts';
import {
  findStateFile,
  type RunStateFile,
  writeStateFile,
} from '../../../server/trainer/state-file.ts';
import { tempFolder } from '../../support/temp-folder.ts';

/** A file system of this many bytes, until the end of the test; undefined without the right to mount one. */
async function smallDisk(bytes: number): Promise<string | undefined> {
  const folder = await tempFolder();
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', folder]);
  } catch {
    return undefined;
  }
  onTestFinished(() => void execFileSync('umount', [folder]));
  return folder;
}

const SINCE = '2026-01-01T10:00:00.000Z';

const RUNNING: RunStateFile = {
  version: 1,
  pid: 123,
  address: 'somewhere',
  protocolVersion: 1,
  heartbeat: SINCE,
  queued: SINCE,
  configFile: null,
  status: initialStatus('running', SINCE),
};

test('on a full disk the end of a run is stored all the same, and nothing else', async (context) => {
  const folder = await smallDisk(64 * 1024);
  if (folder === undefined) return context.skip('Mounting a small disk takes the rights of root.');
  await writeStateFile(folder, RUNNING);
  await writeFile(path.join(folder, 'filler'), Buffer.alloc(128 * 1024)).catch(() => undefined);
  await expect(writeStateFile(folder, RUNNING)).rejects.toThrow('the disk is full');

  const reason = { code: 'output.not_writable', message: 'The disk is full.' };
  const failed = { ...RUNNING, address: null, status: { ...RUNNING.status, reason } };
  const content = { ...failed, status: { ...failed.status, state: 'failed' as const } };
  await writeStateFile(folder, content);
  expect(await findStateFile(folder)).toEqual({ content, problem: null });
  const shorter = { ...content, status: { ...content.status, reason: null } };
  await writeStateFile(folder, shorter);
  expect(await findStateFile(folder)).toEqual({ content: shorter, problem: null });
});
