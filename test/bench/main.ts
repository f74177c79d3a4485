import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { Command, CommanderError } from 'commander';
import { messageOf } from '../../engine/errors.ts';
import { collect, numberOption } from '../../server/cli/commands/options.ts';
import { INTERRUPTED } from '../../server/cli/exit-codes.ts';
import { withInterrupt } from '../../server/cli/interrupt.ts';
import { BenchProgress } from './bench-progress.ts';
import type { BenchGroup } from './bench-row.ts';
import { chooseGroups } from './choose-groups.ts';
import type { ResultLine } from './row-result.ts';
import { benchGroups } from './rows.ts';
import { processesOf, runGroup } from './run-group.ts';

interface Flags {
  readonly json?: true;
  readonly list?: true;
  readonly only?: readonly string[];
  readonly peft?: true;
  readonly python: string;
  readonly samples?: number;
  readonly steps?: number;
}

/**
 * The program `npm run bench`.
 *
 * @param argv as `process.argv`
 * @param programs the folder of the bundled measuring programs
 */
export async function main(argv: readonly string[], programs: string): Promise<void> {
  const count = numberOption({ min: 1, integer: true }, 'a whole number from 1 on');
  const command = new Command('npm run bench --')
    .description(
      'Measure steps of training: time, memory, share of the peak of matrix products. Every sample runs in a fresh process, samples of a group take turns. Nothing else should run meanwhile.',
    )
    .option('--json', 'print one JSON object per row and write no files')
    .option(
      '--only <name>',
      'measure this row or group; * stands for anything, may be repeated',
      collect,
    )
    .option('--list', 'print the names of groups and rows')
    .option('--peft', "measure PEFT's create_lorafa_optimizer as well")
    .option('--python <path>', 'an interpreter with torch, transformers and peft', 'python3')
    .option('--samples <count>', 'processes for each row, in place of 1 or 2', count)
    .option('--steps <count>', 'measured steps of a sample, in place of 3', count)
    .exitOverride();
  try {
    command.parse(argv as string[]);
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    process.exitCode = error.exitCode === 0 ? 0 : 2;
    return;
  }
  await run(command.opts<Flags>(), programs);
}

async function run(flags: Flags, programs: string): Promise<void> {
  const groups = chooseGroups(benchGroups(), flags);
  if (flags.list === true) {
    for (const { name, rows } of groups) {
      process.stdout.write(`${name}\n${rows.map((row) => `  ${row.name}\n`).join('')}`);
    }
    return;
  }
  if (groups.length === 0) {
    process.stderr.write(`No row is called ${flags.only?.join(' or ')}; see --list.\n`);
    process.exitCode = 2;
    return;
  }
  const control = new AbortController();
  const folder = await mkdtemp(path.join(os.tmpdir(), 'lorafa-bench-'));
  try {
    await withInterrupt(
      () => control.abort(),
      () => measure(groups, flags, { programs, folder, signal: control.signal }),
    );
  } catch (error) {
    process.stderr.write(`${control.signal.aborted ? 'Interrupted.' : messageOf(error)}\n`);
    process.exitCode = control.signal.aborted ? INTERRUPTED : 1;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function measure(
  groups: readonly BenchGroup[],
  { json, python }: Flags,
  options: { readonly programs: string; readonly folder: string; readonly signal: AbortSignal },
): Promise<readonly ResultLine[]> {
  const progress = new BenchProgress(groups.reduce((sum, group) => sum + processesOf(group), 0));
  const lines: ResultLine[] = [];
  for (const group of groups) {
    const onProcess = (what: string): void => progress.next(what);
    const results = await runGroup(group, { ...options, python, onProcess });
    progress.clear();
    if (json === true) {
      for (const line of results) process.stdout.write(`${JSON.stringify(line)}\n`);
    }
    lines.push(...results);
  }
  return lines;
}
