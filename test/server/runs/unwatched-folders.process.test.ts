import { execFile, execFileSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { RunRegistry } from '../../../server/trainer/run-registry.ts';
import { bundledProgram } from '../../support/bundled-program.ts';
import { startedEvent, stepEvent } from '../../support/journal-events.ts';
import { tempFolder } from '../../support/temp-folder.ts';

/** Begins a command in a place of its own where the system watches no folder for anybody. */
const UNWATCHED = [
  'unshare',
  ...['--user', '--map-root-user', 'sh', '-c'],
  'echo 0 > /proc/sys/user/max_inotify_watches && exec "$@"',
  'sh',
] as const;

function canUnshare(): boolean {
  try {
    const [program, ...args] = UNWATCHED;
    execFileSync(program, [...args, 'true'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

test.skipIf(!canUnshare())(
  'runs are listed and their history is told where the system has no watches left',
  async () => {
    const folder = path.join(await tempFolder(), 'run');
    await mkdir(folder);
    const lines = [startedEvent(), stepEvent()].map((event) =>
      JSON.stringify({ time: '2026-01-01T00:00:00.000Z', ...event }),
    );
    await writeFile(path.join(folder, 'events.jsonl'), `${lines.join('\n')}\n`);
    const registryFolder = path.join(await tempFolder(), 'runs');
    await new RunRegistry(registryFolder).add({ folder, configFile: null });
    const program = await bundledProgram(path.join(import.meta.dirname, 'list-runs.ts'), ['koffi']);
    const [command, ...args] = [...UNWATCHED, process.execPath, program];
    const { stdout } = await promisify(execFile)(command!, [
      ...args,
      path.dirname(folder),
      registryFolder,
    ]);
    expect(JSON.parse(stdout)).toEqual({ names: ['run'], types: ['started', 'step'] });
  },
);
