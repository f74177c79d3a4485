import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Command } from 'commander';
import { runMetrics } from '../../../server/runs/run-metrics.ts';
import { chartsSvg } from '../line-chart.ts';
import { furthestApart, type LearnedRun, runCharts } from './run-charts.ts';

/**
 * The program `npm run bench:curves`: what runs of one configuration learned, in one picture, and how far the
 * others are from the first of them.
 *
 * @param argv `process.argv`
 */
export async function main(argv: readonly string[]): Promise<void> {
  const command = new Command('npm run bench:curves --')
    .description('Draws losses and norms of gradients of finished runs beside each other.')
    .argument('<picture>', 'where the SVG file is written')
    .argument('<runs...>', 'their folders, by whose names they are called')
    .action(draw);
  await command.parseAsync(argv);
}

async function draw(picture: string, folders: readonly string[]): Promise<void> {
  const runs: readonly LearnedRun[] = await Promise.all(
    folders.map(async (folder) => ({
      name: path.basename(folder),
      rows: (await runMetrics(folder)).rows,
    })),
  );
  await writeFile(picture, chartsSvg(runCharts(runs)));
  const [first, ...others] = runs as readonly [LearnedRun, ...LearnedRun[]];
  for (const other of others) {
    const [loss, norm] = (['loss', 'grad_norm'] as const).map((column) =>
      furthestApart(first, other, column).toPrecision(2),
    );
    console.log(`${other.name} and ${first.name}: losses within ${loss}, norms within ${norm}`);
  }
}
