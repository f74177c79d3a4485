import { findNodeAtLocation, type Node } from 'jsonc-parser';
import { type InlayHint, InlayHintKind, type Range } from 'vscode-languageserver';
import type { TextDocument } from 'vscode-languageserver-textdocument';
import { loraSection } from '../../engine/config/lora-section.ts';
import { formatBytes } from '../format.ts';
import type { Inspection } from './inspection/config-inspector.ts';
import { readTree } from './json-path.ts';
import { shortCount } from './words.ts';

const DEFAULT_RANK = loraSection.parse({}).r;

/** A hint and the keys of which the first that is there shows it. */
interface ConfigHint {
  readonly places: readonly string[];
  readonly label: string;
  readonly tooltip: string;
}

/** What a configuration comes to, behind the values that decide it. */
export function configHints(
  document: TextDocument,
  range: Range,
  inspection: Inspection,
): InlayHint[] {
  const text = document.getText();
  const { root } = readTree(text);
  if (root === undefined) return [];
  const [start, end] = [document.offsetAt(range.start), document.offsetAt(range.end)];
  return hintsOf(root, inspection).flatMap(({ places, label, tooltip }): InlayHint[] => {
    const node = places.map((place) => nodeAt(root, place)).find((each) => each !== undefined);
    if (node === undefined) return [];
    const offset = hintOffset(text, node);
    if (offset < start || offset > end) return [];
    return [
      {
        position: document.positionAt(offset),
        label,
        tooltip,
        kind: InlayHintKind.Type,
        paddingLeft: true,
      },
    ];
  });
}

/** Behind a value and its comma; in a section, behind the brace that opens it. */
function hintOffset(text: string, { type, offset, length }: Node): number {
  if (type === 'object') return offset + 1;
  const end = offset + length;
  return text[end] === ',' ? end + 1 : end;
}

function hintsOf(root: Node, { parameters, length, memory }: Inspection): readonly ConfigHint[] {
  const hints: ConfigHint[] = [];
  // Of a rank that cannot be, the parameters would be those of the default.
  if (parameters !== undefined && rankOf(root) !== undefined) {
    const share = Number(((100 * parameters.trainable) / parameters.total).toPrecision(2));
    hints.push({
      places: ['lora.r', 'lora.target_modules', 'lora', 'training.method', 'model'],
      label: `${shortCount(parameters.trainable)} trainable (${share}%)`,
      tooltip: `${parameters.trainable.toLocaleString('en-US')} of ${parameters.total.toLocaleString('en-US')} parameters are trained.`,
    });
  }
  if (length !== undefined) {
    const about = length.isExact ? '' : '≈ ';
    const { steps, stepsPerEpoch } = length;
    hints.push({
      places: ['training.max_steps', 'training.num_train_epochs', 'training'],
      label: `${about}${stepsPerEpoch.toLocaleString('en-US')} ${stepsPerEpoch === 1 ? 'step' : 'steps'} per epoch, ${steps.toLocaleString('en-US')} in all`,
      tooltip: length.isExact
        ? 'Optimizer steps, from the rows that can be used.'
        : 'Optimizer steps, from the number of rows and the first of them. The estimate of the run looks at all.',
    });
  }
  if (memory !== undefined) {
    const { weights, answerWeights, optimizer, activations, evaluation, answers, total } =
      memory.estimate;
    const parts = [
      `weights ${formatBytes(weights + answerWeights)}`,
      `adapter and optimizer ${formatBytes(optimizer)}`,
      `activations ${formatBytes(activations)}`,
    ];
    const others = [
      ...(evaluation === 0 ? [] : [`evaluation ${formatBytes(evaluation)}`]),
      ...(answers === 0 ? [] : [`answers ${formatBytes(answers)}`]),
    ];
    const { limit } = memory;
    const allowed = limit === undefined ? '' : ` The run may use ${formatBytes(limit)}.`;
    const between = others.length === 0 ? '' : `; between the steps, ${others.join(', ')}`;
    hints.push({
      places: [
        'training.per_device_train_batch_size',
        'training.gradient_checkpointing',
        'training',
      ],
      label: `≈ ${formatBytes(total)} at peak`,
      tooltip: `Estimated from the longest of the first rows, with gradient checkpointing "${memory.recompute}": ${parts.join(', ')}${between}.${allowed}`,
    });
  }
  return [...hints, ...scalingHint(root)];
}

/** `lora_alpha` alone says little: its meaning depends on the rank. */
function scalingHint(root: Node): readonly ConfigHint[] {
  const alpha: unknown = nodeAt(root, 'lora.lora_alpha')?.value;
  const r = rankOf(root);
  if (typeof alpha !== 'number' || r === undefined) return [];
  const isRankStabilised = nodeAt(root, 'lora.use_rslora')?.value === true;
  const scaling = Number((alpha / (isRankStabilised ? Math.sqrt(r) : r)).toPrecision(3));
  return [
    {
      places: ['lora.lora_alpha'],
      label: `scales by ${scaling}`,
      tooltip: `The adapter's output is multiplied by lora_alpha / ${isRankStabilised ? 'sqrt(r)' : 'r'}.`,
    },
  ];
}

/** The rank as it is written, or its default; undefined for what cannot be one. */
function rankOf(root: Node): number | undefined {
  const r: unknown = nodeAt(root, 'lora.r')?.value ?? DEFAULT_RANK;
  return typeof r === 'number' && r >= 1 ? r : undefined;
}

function nodeAt(root: Node, place: string): Node | undefined {
  return findNodeAtLocation(root, place.split('.'));
}
