import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';

/**
 * Makes an extensions folder in which another extension, that is not packed, stands beside those of
 * an existing one. Both stay where they are.
 *
 * @param extensionsDir the existing one
 * @param extension folder of the other extension
 * @returns the new one, which is `target`
 */
export async function extensionsBeside(
  extensionsDir: string,
  extension: string,
  target: string,
): Promise<string> {
  const installed = JSON.parse(
    await readFile(path.join(extensionsDir, 'extensions.json'), 'utf8'),
  ) as readonly { readonly location: { readonly path: string } }[];
  const { publisher, name, version } = JSON.parse(
    await readFile(path.join(extension, 'package.json'), 'utf8'),
  ) as { readonly publisher: string; readonly name: string; readonly version: string };
  const entries = [
    // Without the location relative to the folder, which would win.
    ...installed.map((entry) => ({ ...entry, relativeLocation: undefined })),
    {
      identifier: { id: `${publisher}.${name}` },
      version,
      location: { $mid: 1, path: extension, scheme: 'file' },
    },
  ];
  await mkdir(target);
  await writeFile(path.join(target, 'extensions.json'), JSON.stringify(entries));
  return target;
}
