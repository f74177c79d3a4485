import { copyFile, stat, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { requireWholeLibrary } from '../../../engine/runtime/whole-library.ts';
import { tempFolder } from '../../support/temp-folder.ts';

describe.skipIf(process.platform !== 'linux')('a library of Linux', () => {
  test('is whole, or is said to be cut off', async () => {
    const file = path.join(await tempFolder(), 'program');
    await copyFile(process.execPath, file);
    expect(() => requireWholeLibrary(file)).not.toThrow();
    const { size } = await stat(file);
    await truncate(file, size / 2);
    expect(() => requireWholeLibrary(file)).toThrow(
      new RegExp(`^${file} is cut off: ${size / 2} of \\d+ bytes are there$`),
    );
  });

  test.each(['', 'no library', '\x7fELF'])('%j is left to whoever opens it', async (content) => {
    const file = path.join(await tempFolder(), 'library');
    await writeFile(file, content);
    expect(() => requireWholeLibrary(file)).not.toThrow();
  });
});
