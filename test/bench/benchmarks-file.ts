import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { writeFileAtomic } from '../../engine/files/atomic-file.ts';
import { ensureFolder } from '../../engine/files/folders.ts';
import type { BenchGroup } from './bench-row.ts';
import { withGeneratedSection } from './generated-section.ts';
import { benchmarksSection, PLOTS_FOLDER, plotFile } from './report.ts';
import type { ResultLine } from './row-result.ts';
import { scalingPlots } from './scaling-plots.ts';

/**
 * Writes the pictures and the generated section of BENCHMARKS.md.
 *
 * @param root the root of the repository
 */
export async function writeBenchmarks(
  root: string,
  groups: readonly BenchGroup[],
  lines: readonly ResultLine[],
): Promise<void> {
  const plots = scalingPlots(lines);
  const file = path.join(root, 'BENCHMARKS.md');
  const section = benchmarksSection(groups, lines, plots);
  const text = withGeneratedSection(await readFile(file, 'utf8'), section);
  await ensureFolder(path.join(root, PLOTS_FOLDER));
  for (const plot of plots) await writeFileAtomic(path.join(root, plotFile(plot)), plot.svg);
  await writeFileAtomic(file, text);
}

/** Reads what `--json` printed; lines that npm printed before are passed over. */
export async function readResultLines(file: string): Promise<readonly ResultLine[]> {
  const text = await readFile(file, 'utf8');
  return text
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as ResultLine);
}
