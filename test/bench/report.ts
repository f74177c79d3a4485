import os from 'node:os';
import { ort } from '../../engine/runtime/onnx-runtime.ts';
import type { BenchGroup } from './bench-row.ts';
import { groupTable } from './group-table.ts';
import { type Reach, reaches } from './reach.ts';
import type { ResultLine } from './row-result.ts';
import type { ScalingPlot } from './scaling-plots.ts';
import { spread } from './statistics.ts';

/** Where the pictures lie, from the root of the repository. */
export const PLOTS_FOLDER = 'test/bench/plots';

/** The file of a picture, from the root of the repository. */
export function plotFile({ group }: ScalingPlot): string {
  return `${PLOTS_FOLDER}/${group}.svg`;
}

/** The table of a group under its title, and its picture where there is one. */
export function groupSection(
  { name, title }: BenchGroup,
  lines: readonly ResultLine[],
  plots: readonly ScalingPlot[] = [],
): string {
  const plot = plots.find(({ group }) => group === name);
  const picture =
    plot === undefined
      ? ''
      : `\n![${title}: tokens per second and peak memory](${plotFile(plot)})\n`;
  const table = groupTable(lines.filter(({ group }) => group === name));
  return `### ${title}\n\n${table}${picture}\n`;
}

/** What was reached, under a title. */
export function reachSection(lines: readonly ResultLine[]): string {
  return `### What was reached\n\n${reachList(reaches(lines))}`;
}

/** The generated section of BENCHMARKS.md. */
export function benchmarksSection(
  groups: readonly BenchGroup[],
  lines: readonly ResultLine[],
  plots: readonly ScalingPlot[],
): string {
  const measured = groups.filter(({ name }) => lines.some(({ group }) => group === name));
  const tables = measured.map((group) => groupSection(group, lines, plots));
  const flags = lines.some(({ name }) => name.includes('-peft-')) ? ' -- --peft' : '';
  return `## Training steps

\`npm run bench${flags}\`, on ${machine()}.
Matrix products in float32 reached ${sgemmPeak(lines)} at best in ONNX Runtime, measured before each group.

A sample is a whole run in a fresh process, as \`lorafa train\` does it, and samples of a group took turns. A step
is everything from its batch to its report: forward, loss, backward, clipping, optimizer. Its time is the median
of all measured steps. Peak RSS is the high-water mark of the whole process at the end of the last step,
"without files" the same without mapped weights, "activations" the exact bytes of values alive at one time in
the step's graph, "predicted" what \`lorafa plan\` says before the run. The share of the sgemm peak counts what
LoRA-FA has to compute: what a mode computes twice does not count, and products of fewer bits may exceed it. The
worst gradient is that of the B which is farthest from its gradient in float32, relative to its norm, in the first
step. Weights are random; MB are 10⁶ bytes.

${tables.join('')}${reachSection(lines)}`;
}

function reachList(all: readonly Reach[]): string {
  const known = all.filter(({ passed }) => passed !== undefined);
  const items = known.map(
    ({ aim, measured, passed }) => `- **${passed ? 'Pass' : 'Fail'}**: ${aim}: ${measured}.\n`,
  );
  const open = all.length - known.length;
  const rest = `${open} of ${all.length} aims need rows that this run did not measure.\n`;
  return [...items, ...(open === 0 ? [] : [items.length === 0 ? rest : `\n${rest}`])].join('');
}

function machine(): string {
  const cpus = os.cpus();
  const memory = Math.round(os.totalmem() / 2 ** 30);
  const cpu = cpus[0]?.model.trim() ?? 'an unknown CPU';
  return `${cpus.length} cores of ${cpu}, ${memory} GiB, ${os.type()}, Node.js ${process.versions.node}, ONNX Runtime ${ort.version}`;
}

function sgemmPeak(lines: readonly ResultLine[]): string {
  const peaks = lines.flatMap((line) => ('gflops' in line ? [line.gflops] : []));
  if (peaks.length === 0) return 'an unknown rate';
  const { min, median, max } = spread(peaks);
  return `${median.toFixed(0)} GFLOP/s (${min.toFixed(0)} to ${max.toFixed(0)})`;
}
