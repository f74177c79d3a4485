import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

/** Programs of the repository that the extension has no use for. */
const NOT_PACKAGED = ['demo', 'make-base'];

test('every program that the extension starts is in the package, and no other', () => {
  const build = readFileSync('esbuild.mjs', 'utf8');
  const list = /entryPoints: \{(.*?)\}/s.exec(build)![1]!;
  const programs = [...list.matchAll(/^\s*'?([\w-]+)'?:/gm)].map(([, name]) => name!);
  const ignore = readFileSync('.vscodeignore', 'utf8');
  const packaged = [...ignore.matchAll(/^!out\/([\w-]+)\.js$/gm)].map(([, name]) => name!);
  expect(packaged.sort()).toEqual(programs.filter((name) => !NOT_PACKAGED.includes(name)).sort());
});
