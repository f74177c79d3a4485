import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { openCApi } from '../../../engine/runtime/c-api.ts';
import { bundledLibrary } from '../../../engine/runtime/library.ts';
import { ort } from '../../../engine/runtime/onnx-runtime.ts';
import { tempFolder } from '../../support/temp-folder.ts';

test('the library is that of the package', () => {
  const { file, version } = bundledLibrary();
  expect(file).toContain(path.join('onnxruntime-node', 'bin'));
  expect(ort.version).toBe(version);
});

test('what is no library is refused, and the process stays', async () => {
  const file = path.join(await tempFolder(), 'libonnxruntime.so.1');
  expect(() => openCApi(file)).toThrow();
  await writeFile(file, 'no library');
  expect(() => openCApi(file)).toThrow();
});
