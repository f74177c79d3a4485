import { execFile } from 'node:child_process';
import { symlink } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { onednnLibrary } from '../../../engine/runtime/onednn-library.ts';
import { hasBfloat16 } from '../../support/bfloat16.ts';
import { bundledProgram } from '../../support/bundled-program.ts';

const PROGRAM = path.join(import.meta.dirname, 'spinning-program.ts');

test.runIf(hasBfloat16)(
  'a process ends well while threads of oneDNN look out for work',
  async () => {
    const program = await bundledProgram(PROGRAM, ['koffi']);
    await symlink(path.resolve('node_modules'), path.join(path.dirname(program), 'node_modules'));
    const library = JSON.stringify(onednnLibrary());
    const { OMP_WAIT_POLICY: _, ...env } = process.env;
    for (let i = 0; i < 5; i++) {
      const { stderr } = await promisify(execFile)(process.execPath, [program, library], { env });
      expect(stderr).toBe('');
    }
  },
);
