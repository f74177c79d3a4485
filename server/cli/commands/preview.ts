import type { Command } from 'commander';
import { parseOverride } from '../../../engine/config/overrides.ts';
import { readConfig } from '../../../engine/config/parse.ts';
import { loadDataset } from '../../../engine/data/dataset.ts';
import type { Dataset } from '../../../engine/data/dataset-builder.ts';
import { mixExamples } from '../../../engine/data/mix.ts';
import { type ExamplePreview, previewExample } from '../../../engine/data/preview.ts';
import type { DatasetReport, IssueList } from '../../../engine/data/report.ts';
import { formatIssues } from '../../../engine/data/report.ts';
import { fetchInputs } from '../../../engine/inputs/hub-inputs.ts';
import { openTokenizer } from '../../../engine/models/base-model.ts';
import type { PaddingReport } from '../../../engine/plan/plan-reports.ts';
import { previewSources, sharedWithHeldOut } from '../../../engine/plan/run-data.ts';
import { planRun } from '../../../engine/plan/run-plan.ts';
import { loadRunTokenizer } from '../../../engine/plan/run-tokenizer.ts';
import { formatCount } from '../../format.ts';
import { describePadding } from '../padding-report.ts';
import { printJson, printText } from '../print.ts';
import { runCommand } from '../run-command.ts';
import { stderrProgress } from '../stderr-progress.ts';
import { renderTokens } from '../token-view.ts';
import { collect, numberOption } from './options.ts';

interface PreviewFlags {
  readonly set?: readonly string[];
  readonly rows: number;
  readonly skip: number;
  readonly json?: true;
}

/** Adds `lorafa preview` to the program. */
export function addPreviewCommand(program: Command): void {
  program
    .command('preview')
    .summary('show what a run would learn')
    .description('Show rows token by token, each marked as supervised or not, with counts.')
    .argument('<config>', 'run configuration (*.lorafa.json)')
    .option('--set <section.key=value>', 'replace a value of the configuration', collect)
    .option(
      '--rows <count>',
      'how many rows to show',
      numberOption({ min: 0, integer: true }, 'a whole number of at least 0'),
      3,
    )
    .option(
      '--skip <count>',
      'how many rows to pass over before',
      numberOption({ min: 0, integer: true }, 'a whole number of at least 0'),
      0,
    )
    .option('--json', 'print one JSON object')
    .action((file: string, flags: PreviewFlags) =>
      runCommand(flags.json === true, () => preview(file, flags)),
    );
}

async function preview(file: string, flags: PreviewFlags): Promise<void> {
  const progress = stderrProgress();
  const { config, warnings, heads } = await fetchInputs(
    await readConfig(file, (flags.set ?? []).map(parseOverride)),
    { rowsOnly: true, onDownload: (state) => progress({ type: 'progress', ...state }) },
  );
  const base = await openTokenizer(config.model.base_model_name_or_path, heads);
  const tokenizer = await loadRunTokenizer(config, base);
  const { sources, isWhole, notes } = await previewSources(config);
  const sets: Dataset[] = [];
  for (const { paths, options } of sources) {
    sets.push(await loadDataset(paths, tokenizer, options));
  }
  const [{ report }, ...mixed] = sets as [Dataset, ...Dataset[]];
  const all = sets.map(({ examples }) => examples);
  const taken = mixExamples(all, sources, config.training.seed);
  const { padding } = planRun(config, { train: taken.flat() });
  const shared = isWhole ? await sharedWithHeldOut(config, tokenizer, all) : undefined;
  const { stdout } = process;
  const examples = all
    .flat()
    .slice(flags.skip, flags.skip + flags.rows)
    .map((example) => previewExample(example, tokenizer));
  const mix = mixed.map(({ report }, index) => ({
    name: sources[index + 1]!.paths.join(', '),
    rows: taken[index + 1]!.length,
    report,
  }));
  const said = [...warnings, ...notes];
  if (flags.json === true) {
    printJson(stdout, {
      report,
      ...(shared && { shared }),
      padding,
      examples,
      ...(mix.length > 0 && { mix }),
      ...(said.length > 0 && { notes: said }),
    });
    return;
  }
  const color = stdout.isTTY && stdout.hasColors();
  printPreview(examples, describeReport(report, { shared, padding }), color);
  for (const { name, rows, report } of mix) {
    const head = `mixed in: ${name}, ${formatCount(rows)} rows an epoch`;
    printText(stdout, [head, ...describeReport(report)].join('\n'));
  }
  if (said.length > 0) printText(stdout, said.join('\n'));
}

function printPreview(
  examples: readonly ExamplePreview[],
  report: readonly string[],
  color: boolean,
): void {
  const { stdout } = process;
  for (const shown of examples) {
    const supervised = shown.tokens.filter((token) => token.supervised).length;
    printText(
      stdout,
      `── ${shown.file}:${shown.line} · ${formatCount(shown.tokens.length)} tokens, ${formatCount(supervised)} supervised`,
    );
    // With colours of our own; what the tokens hold is plain text there.
    stdout.write(`${renderTokens(shown, color)}\n\n`);
  }
  const legend = color
    ? 'Supervised tokens have a green ground.'
    : 'Supervised tokens stand in ⟦ ⟧.';
  printText(stdout, [legend, ...report].join('\n'));
}

function describeReport(
  report: DatasetReport,
  {
    shared,
    padding,
  }: {
    readonly shared?: IssueList | undefined;
    readonly padding?: PaddingReport;
  } = {},
): readonly string[] {
  const issues = (words: string, list: IssueList): readonly string[] =>
    list.count === 0 ? [] : [`${formatCount(list.count)} ${words}: ${formatIssues(list)}`];
  return [
    `rows read as: ${report.shapes.join(', ')}`,
    `${formatCount(report.used)} of ${formatCount(report.rows)} rows used: ${formatCount(report.tokens)} tokens, ${formatCount(report.supervisedTokens)} supervised, longest row ${formatCount(report.longest)}`,
    ...(padding === undefined ? [] : [`padding: ${describePadding(padding)}`]),
    ...issues('rows truncated', report.truncated),
    ...issues('rows dropped', report.dropped),
    ...issues('rows without anything to learn', report.neverSupervised),
    ...issues('conversations of which only the last answer is learned', report.lastTurnOnly),
    ...issues('rows that were there before', report.duplicates),
    ...issues('rows of which a single token is learned', report.nearlyEmpty),
    ...issues('rows whose completion runs on from the prompt', report.unseparated),
    ...(shared === undefined ? [] : issues('held-out rows that are learned too', shared)),
  ];
}
