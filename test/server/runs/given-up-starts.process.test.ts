import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { bundledProgram } from '../../support/bundled-program.ts';
import { startAndDie, startAndGiveUp } from './given-up-starts.ts';
import { useRealRuns } from './real-runs.ts';

const runs = useRealRuns();

describe.runIf(process.platform === 'linux')('a start', () => {
  test('that is given up leaves no process', async () => {
    const ends = [];
    for (const patience of [1, 100, 200, 300]) ends.push(await startAndGiveUp(runs(), patience));
    expect(ends).toContain('given up');
  });

  test('whose starter is killed goes on wholly or not at all', async () => {
    const starter = await bundledProgram(path.join(import.meta.dirname, 'starters/starter.ts'));
    for (const killAfterMs of [150, 350]) await startAndDie(runs(), starter, killAfterMs);
  });
});
