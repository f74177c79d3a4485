import os from 'node:os';
import { onnxRuntimeVersion } from '../../engine/runtime/session.ts';
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

/** The tables of all groups that were measured, and what was reached. */
export function resultTables(
  groups: readonly BenchGroup[],
  lines: readonly ResultLine[],
  plots: readonly ScalingPlot[] = [],
): string {
  const sections = groups.flatMap(({ name, title }) => {
    const members = lines.filter(({ group }) => group === name);
    if (members.length === 0) return [];
    const plot = plots.find(({ group }) => group === name);
    const picture =
      plot === undefined
        ? ''
        : `\n![${title}: tokens per second and peak memory](${plotFile(plot)})\n`;
    return [`### ${title}\n\n${groupTable(members)}${picture}`];
  });
  return [...sections, `### What was reached\n\n${reachList(reaches(lines))}`].join('\n');
}

/** The generated section of BENCHMARKS.md. */
export function benchmarksSection(
  groups: readonly BenchGroup[],
  lines: readonly ResultLine[],
  plots: readonly ScalingPlot[],
): string {
  const flags = lines.some(({ name }) => name.includes('-peft-')) ? ' -- --peft' : '';
  return `## Training steps

\`npm run bench${flags}\`, on ${machine()}.
Matrix products in float32 reached ${sgemmPeak(lines)} at best in ONNX Runtime, measured before each group.

A sample is a whole run in a fresh process, as \`lorafa train\` does it, and samples of a group took turns. A step
is everything from its batch to its report: forward, loss, backward, clipping, optimizer. Its time is the median
of all measured steps. Peak RSS is the high-water mark of the whole process at the end of the last step,
"without files" the same without mapped weights, "activations" the exact bytes of values alive at one time in
the step's graph, "predicted" what \`lorafa plan\` says before the run. The share of the sgemm peak counts what
LoRA-FA has to compute: what a mode computes twice does not count, and eight-bit products may exceed it. Weights
are random; MB are 10⁶ bytes.

${resultTables(groups, lines, plots)}`;
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
  return `${cpus.length} cores of ${cpu}, ${memory} GiB, ${os.type()}, Node.js ${process.versions.node}, ONNX Runtime ${onnxRuntimeVersion}`;
}

function sgemmPeak(lines: readonly ResultLine[]): string {
  const peaks = lines.flatMap((line) => ('gflops' in line ? [line.gflops] : []));
  if (peaks.length === 0) return 'an unknown rate';
  const { min, median, max } = spread(peaks);
  return `${median.toFixed(0)} GFLOP/s (${min.toFixed(0)} to ${max.toFixed(0)})`;
}
