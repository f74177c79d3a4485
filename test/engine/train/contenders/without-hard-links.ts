import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';

/** What exFAT and others answer. */
const SOURCE = `
#include <errno.h>
int link(const char *from, const char *to) { errno = EPERM; return -1; }
`;

/**
 * Environment variables for processes to which every file system is one without hard links, until
 * the test ends.
 */
export function withoutHardLinks(): Record<string, string> {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'lorafa-no-links-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const library = path.join(folder, 'no-links.so');
  const args = ['-shared', '-fPIC', '-o', library, '-x', 'c', '-'];
  execFileSync('gcc', args, { input: SOURCE });
  return { LD_PRELOAD: library };
}
