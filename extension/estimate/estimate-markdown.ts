import type { RunEstimate } from '../../engine/plan/estimate-run.ts';
import { asText, gibibytes, markdownTable } from '../reports/markdown.ts';
import type { EstimateTexts } from './estimate-texts.ts';

/** What a run would take, as a Markdown document: the verdict first, then memory, then the run. */
export function estimateMarkdown(
  name: string,
  estimate: RunEstimate,
  texts: EstimateTexts,
): string {
  const { memory, memoryLimit, parameters, train, largestBatch } = estimate;
  const fits = memory.total <= memoryLimit;
  const verdict = `${fits ? `✓ ${texts.fits}` : `✗ ${texts.doesNotFit}`} ${gibibytes(memory.total)} / ${gibibytes(memoryLimit)} ${texts.available}`;
  const count = (value: number): string => value.toLocaleString('en-US');
  return [
    `# ${texts.title}: ${asText(name)}`,
    verdict,
    `## ${texts.memory}`,
    markdownTable(
      [texts.part, texts.size],
      [
        [texts.weights, gibibytes(memory.weights)],
        [texts.optimizer, gibibytes(memory.optimizer)],
        [texts.activations, gibibytes(memory.activations)],
        [texts.runtime, gibibytes(memory.runtime)],
        [texts.total, gibibytes(memory.total)],
      ],
    ),
    `## ${texts.run}`,
    markdownTable(
      [texts.what, texts.howMuch],
      [
        [texts.steps, count(estimate.steps)],
        [texts.stepsPerEpoch, count(estimate.stepsPerEpoch)],
        [texts.trainable, `${count(parameters.trainable)} / ${count(parameters.total)}`],
        [texts.rows, count(train.rows)],
        [texts.tokens, `${count(train.tokens)} (${count(train.supervisedTokens)})`],
        [texts.largestBatch, `${largestBatch.rows} × ${count(largestBatch.length)}`],
        [texts.checkpointing, estimate.gradientCheckpointing],
      ],
    ),
    ...(estimate.warnings.length === 0
      ? []
      : [`## ${texts.warnings}`, estimate.warnings.map((line) => `- ${asText(line)}`).join('\n')]),
    '',
  ].join('\n\n');
}
