import { execFile } from 'node:child_process';
import { symlink } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { onednnLibrary } from '../../../engine/runtime/onednn-library.ts';
import { hasBfloat16 } from '../../support/bfloat16.ts';
import { bundledProgram } from '../../support/bundled-program.ts';

test.runIf(hasBfloat16)('threads of attention keep no process alive', async () => {
  const [program, thread] = await Promise.all(
    [
      path.join(import.meta.dirname, 'programs/start-threads.ts'),
      'engine/runtime/attention-thread.ts',
    ].map(async (entry) => {
      const file = await bundledProgram(entry, ['koffi']);
      await symlink(path.resolve('node_modules'), path.join(path.dirname(file), 'node_modules'));
      return file;
    }),
  );
  const words = [program!, thread!, JSON.stringify(onednnLibrary())];
  const { stdout } = await promisify(execFile)(process.execPath, words, { timeout: 20_000 });
  expect(stdout).toBe('3 threads\n');
});
