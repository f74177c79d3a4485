import { expect, test } from 'vitest';
import { notWritable } from '../../../engine/files/not-writable.ts';
import { inOwnFolder } from '../../../server/runs/own-folder.ts';

function failing(code: string): Promise<never> {
  return Promise.reject(notWritable('/runs/a/notes.json', Object.assign(new Error(), { code })));
}

test('what is forbidden in the folder of a run is not advised to go elsewhere', async () => {
  await expect(inOwnFolder('/runs/a', () => failing('EACCES'))).rejects.toMatchObject({
    code: 'output.not_writable',
    message:
      'Cannot write to /runs/a/notes.json: permission is denied; change the permissions of /runs/a, or copy it to where you may write.',
  });
});

test('what else goes wrong has its own way out', async () => {
  await expect(inOwnFolder('/runs/a', () => failing('ENOSPC'))).rejects.toThrow(
    /the disk is full; free some space/,
  );
  await expect(inOwnFolder('/runs/a', async () => 1)).resolves.toBe(1);
});
