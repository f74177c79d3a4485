import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Page } from 'playwright-core';
import { e2eCacheFolder } from '../setup/cache-folder.ts';

/** Logs that tell why a test failed: the extension's own, and those of the host that it runs in. */
const LOGS = /(?:LoRA-FA|remoteexthost).*\.log$/;

/**
 * Keeps, for the one who reads about a failed test, how the window looks (`NAME.png`) and what the
 * extension and its host logged (`NAME.log`), and prints where.
 */
export async function keepEvidence(test: string, page: Page, userDataDir: string): Promise<void> {
  const file = path.join(e2eCacheFolder(), 'failures', test.replace(/\W+/g, '-'));
  await page.screenshot({ path: `${file}.png` });
  const logs = (await readdir(userDataDir, { recursive: true })).filter((name) => LOGS.test(name));
  const texts = logs.map(async (name) => {
    return `==> ${name}\n${await readFile(path.join(userDataDir, name), 'utf8')}`;
  });
  await writeFile(`${file}.log`, (await Promise.all(texts)).join('\n'));
  console.error(`"${test}" failed: see ${file}.png and ${file}.log`);
}
