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
import { readResultLines, writeBenchmarks } from './benchmarks-file.ts';
import { chooseGroups } from './choose-groups.ts';
import { groupSection, reachSection } from './report.ts';
import type { ResultLine } from './row-result.ts';
import { benchGroups } from './rows.ts';
import { processesOf, runGroup } from './run-group.ts';

interface Flags {
  readonly json?: true;
  readonly list?: true;
  readonly only?: readonly string[];
  readonly from?: string;
  readonly peft?: true;
  readonly python: string;
  readonly samples?: number;
  readonly steps?: number;
}

/**
 * The program `npm run bench`, from the root of the repository.
 *
 * @param argv as `process.argv`
 * @param programs the folder of the bundled measuring programs
 */
export async function main(argv: readonly string[], programs: string): Promise<void> {
  const count = numberOption({ min: 1, integer: true }, 'a whole number from 1 on');
  const command = new Command('npm run bench --')
    .description(
      'Measure steps of training: time, memory, share of the peak of matrix products. Every sample runs in a fresh process, samples of a group take turns; nothing else should run meanwhile. A run of everything writes its tables into BENCHMARKS.md.',
    )
    .option('--json', 'print one JSON object per row and write no files')
    .option('--only <name>', 'only this row or group (* is anything, may be repeated)', collect)
    .option('--from <file>', 'measure nothing: write BENCHMARKS.md from what --json printed')
    .option('--list', 'print the names of groups and rows')
    .option('--peft', "measure PEFT's create_lorafa_optimizer as well")
    .option('--python <path>', 'an interpreter with torch, transformers and peft', 'python3')
    .option('--samples <count>', 'processes for each row, in place of 1 or 2', count)
    .option('--steps <count>', 'measured steps of a sample, in place of 2 or more', count)
    .exitOverride();
  try {
    command.parse([...argv]);
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    process.exitCode = error.exitCode === 0 ? 0 : 2;
    return;
  }
  try {
    await run(command.opts<Flags>(), programs);
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n`);
    process.exitCode = 1;
  }
}

async function run(flags: Flags, programs: string): Promise<void> {
  const all = benchGroups();
  if (flags.from !== undefined) {
    await writeBenchmarks('.', all, await readResultLines(flags.from));
    return;
  }
  const groups = chooseGroups(all, flags);
  if (groups.length === 0) {
    process.stderr.write(`No row is called ${flags.only?.join(' or ')}; see --list.\n`);
    process.exitCode = 2;
  } else if (flags.list === true) {
    for (const { name, rows } of groups) {
      process.stdout.write(`${name}\n${rows.map((row) => `  ${row.name}\n`).join('')}`);
    }
  } else {
    const lines = await measureAll(groups, flags, programs);
    if (lines === undefined) return;
    if (flags.json === undefined) process.stdout.write(reachSection(lines));
    const isWhole = flags.only === undefined && flags.json === undefined;
    if (isWhole) await writeBenchmarks('.', all, lines);
  }
}

/** Measures with a temporary folder that is gone afterwards; undefined where Ctrl+C ended it. */
async function measureAll(
  groups: readonly BenchGroup[],
  { json, python }: Flags,
  programs: string,
): Promise<readonly ResultLine[] | undefined> {
  const control = new AbortController();
  const { signal } = control;
  const folder = await mkdtemp(path.join(os.tmpdir(), 'lorafa-bench-'));
  const progress = new BenchProgress(groups.reduce((sum, group) => sum + processesOf(group), 0));
  const measure = async (): Promise<readonly ResultLine[]> => {
    const lines: ResultLine[] = [];
    for (const group of groups) {
      const results = await runGroup(group, { folder, programs, python, signal, progress });
      progress.clear();
      lines.push(...results);
      const text =
        json === undefined
          ? groupSection(group, results)
          : results.map((line) => `${JSON.stringify(line)}\n`).join('');
      process.stdout.write(text);
    }
    return lines;
  };
  try {
    return await withInterrupt(() => control.abort(), measure);
  } catch (error) {
    if (!signal.aborted) throw error;
    progress.clear();
    process.stderr.write('Interrupted; what was being measured was ended.\n');
    process.exitCode = INTERRUPTED;
    return undefined;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
