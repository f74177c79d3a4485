import type { RowLayout } from '../../engine/data/epoch-plan.ts';
import type { BatchSize, RunEstimate } from '../../engine/plan/estimate-run.ts';
import type { SplitReport } from '../../engine/plan/plan-reports.ts';
import { formatBytes, formatDuration } from '../../server/format.ts';
import { inferredCount } from '../../server/inferred-count.ts';
import { markdownTable } from '../reports/markdown-table.ts';
import { asMarkdown } from '../show/markup.ts';
import type { EstimateTexts } from './estimate-texts.ts';

/** How long a run trains, and how that is known. */
export interface TimeEstimate {
  readonly seconds: number;
  readonly tokensPerSecond: number;
  /** In words. */
  readonly source: string;
}

/**
 * What a run would take, as a Markdown document: the verdict first, then memory, then the run.
 *
 * @param time undefined where nothing is known of it
 */
export function estimateMarkdown(
  name: string,
  estimate: RunEstimate,
  time: TimeEstimate | undefined,
  texts: EstimateTexts,
): string {
  const { memory, memoryLimit, parameters, train, evaluation } = estimate;
  const { largestBatch, largestEvaluationBatch } = estimate;
  const needed = `${formatBytes(memory.total)} ${texts.needed}`;
  const verdict =
    memoryLimit === undefined
      ? `${needed}. ${texts.limitUnknown}`
      : `${memory.total <= memoryLimit ? `✓ ${texts.fits}` : `✗ ${texts.doesNotFit}`} ${needed}, ${formatBytes(memoryLimit)} ${texts.available}`;
  const count = (value: number): string => Math.round(value).toLocaleString('en-US');
  const size = ({ rows, length }: BatchSize): string => `${rows} × ${count(length)}`;
  const inferred = (value: number, { inferredFrom }: SplitReport): string =>
    inferredCount(count(value), inferredFrom !== undefined, texts.about);
  const tokens = (split: SplitReport): string =>
    `${inferred(split.tokens, split)} (${inferred(split.supervisedTokens, split)})`;
  return [
    `# ${texts.title}: ${asMarkdown(name)}`,
    verdict,
    ...processLines(estimate, texts),
    time === undefined
      ? texts.timeUnknown
      : `${texts.time} **${formatDuration(Math.max(1, time.seconds))}** (${asMarkdown(time.source)}, ${count(time.tokensPerSecond)} ${texts.tokensPerSecond}). ${texts.timeOfSteps}`,
    `## ${texts.memory}`,
    markdownTable(
      [texts.part, texts.size],
      [
        [placed(texts.weights, estimate, texts), formatBytes(memory.weights)],
        ...presentRow(placed(texts.answerWeights, estimate, texts), memory.answerWeights),
        [texts.optimizer, formatBytes(memory.optimizer)],
        [texts.activations, formatBytes(memory.activations)],
        ...presentRow(texts.evaluation, memory.evaluation),
        ...presentRow(texts.answers, memory.answers),
        [texts.runtime, formatBytes(memory.runtime)],
        [texts.total, formatBytes(memory.total)],
      ],
    ),
    ...(memory.evaluation + memory.answers === 0 ? [] : [texts.largestCounts]),
    ...diskLines(estimate, texts),
    `## ${texts.run}`,
    markdownTable(
      [texts.what, texts.howMuch],
      [
        ...(estimate.device === undefined ? [] : [[texts.device, estimate.device] as const]),
        [texts.steps, count(estimate.steps)],
        [texts.stepsPerEpoch, inferred(estimate.stepsPerEpoch, train)],
        [texts.trainable, `${count(parameters.trainable)} / ${count(parameters.total)}`],
        [texts.rows, inferred(train.rows, train)],
        [texts.tokens, tokens(train)],
        ...paddingRows(estimate, texts),
        ...(evaluation === undefined
          ? []
          : ([
              [texts.evaluationRows, inferred(evaluation.rows, evaluation)],
              [texts.evaluationTokens, tokens(evaluation)],
            ] as const)),
        [texts.largestBatch, size(largestBatch)],
        ...(largestEvaluationBatch === undefined
          ? []
          : [[texts.largestEvaluationBatch, size(largestEvaluationBatch)] as const]),
        [texts.checkpointing, estimate.gradientCheckpointing],
        [texts.compute, estimate.compute],
      ],
    ),
    ...(train.inferredFrom === undefined
      ? []
      : [texts.inferred.replace('{0}', count(train.inferredFrom))]),
    ...(estimate.warnings.length === 0
      ? []
      : [
          `## ${texts.warnings}`,
          estimate.warnings.map((line) => `- ${asMarkdown(line)}`).join('\n'),
        ]),
    '',
  ].join('\n\n');
}

/** Whose memory it is, where another engine computes. */
function processLines({ processes, device }: RunEstimate, texts: EstimateTexts): readonly string[] {
  if (processes === undefined) return [];
  const whose =
    processes === 1 ? texts.ofProcess : texts.ofProcesses.replace('{0}', `${processes}`);
  return [device === 'cpu' ? whose : `${whose} ${texts.ofCuda}`];
}

/** The name of weights, and where they lie; of another engine's nothing is known. */
function placed(name: string, { processes, device }: RunEstimate, texts: EstimateTexts): string {
  if (processes !== undefined) return name;
  return `${name}, ${device === 'cpu' ? texts.mapped : texts.copied}`;
}

/** What is written before the first step, where that is something. */
function diskLines({ disk }: RunEstimate, texts: EstimateTexts): readonly string[] {
  if (disk === undefined) return [];
  const { needed, room, folder } = disk;
  return [
    `## ${texts.disk}`,
    `${needed <= room ? '✓' : '✗'} ${texts.writtenOnce} **${formatBytes(needed)}**, ${texts.room} ${formatBytes(room)} (${asMarkdown(folder)})`,
  ];
}

/** A part that only some runs have. */
function presentRow(name: string, bytes: number): readonly (readonly [string, string])[] {
  return bytes === 0 ? [] : [[name, formatBytes(bytes)]];
}

function paddingRows(
  { padding: { packing, unpacked, packed }, train: { inferredFrom } }: RunEstimate,
  texts: EstimateTexts,
): readonly (readonly [string, string])[] {
  const percent = ({ paddingWaste }: RowLayout): string =>
    inferredCount(`${(100 * paddingWaste).toFixed(1)} %`, inferredFrom !== undefined, texts.about);
  return [
    [texts.padding, percent(packing ? packed : unpacked)],
    packing ? [texts.paddingUnpacked, percent(unpacked)] : [texts.paddingPacked, percent(packed)],
  ];
}
