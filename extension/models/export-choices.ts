import * as vscode from 'vscode';
import type { ExportDtype } from '../../engine/export/export-format.ts';
import type { ExportFormatName } from '../../engine/export/export-formats.ts';
import type { ExportSize } from '../../engine/export/export-sizes.ts';
import { formatBytes } from '../../server/format.ts';
import { type LiveRow, pickLive } from '../show/live-pick.ts';
import { showWarning } from '../show/notifications.ts';
import { BACK } from '../show/quick-steps.ts';

/** How an adapter is exported. */
export interface ExportChoice {
  readonly format: ExportFormatName;
  /** Null for that of the base. */
  readonly dtype: ExportDtype | null;
  /** What follows the adapter's name in that of the file or folder. */
  readonly suffix: string;
}

interface FormatRow extends LiveRow {
  readonly format: ExportFormatName;
  readonly suffix: string;
  /** Types that weights may be stored in, where that is asked. */
  readonly types?: TypeRows;
  /** Why it cannot be had, once that is known. */
  readonly problem?: string;
}

interface TypeRow extends LiveRow {
  /** Null for that of the base. */
  readonly dtype: ExportDtype | null;
}

/** @param size what is known of the format; undefined while nothing is */
type TypeRows = (size?: ExportSize) => readonly TypeRow[];

/**
 * Asks in which format an adapter shall be exported; undefined when the user closed a question.
 *
 * A format that cannot be had is answered by its reason, and the list is shown again.
 *
 * @param sizes how much each takes, which comes while one reads; nothing is shown of what cannot be measured
 */
export async function chooseExport(
  title: string,
  sizes: Promise<readonly ExportSize[]>,
): Promise<ExportChoice | undefined> {
  const formats = (known: readonly ExportSize[] = []): readonly FormatRow[] =>
    formatRows().map((each) => describeFormat(each, known));
  let row = await pickSized(title, formats, sizes);
  while (row?.problem !== undefined) {
    void showWarning(row.problem);
    row = await pickSized(title, formats, sizes);
  }
  if (row === undefined) return undefined;
  const { format, suffix, types } = row;
  if (types === undefined) return { format, dtype: null, suffix };
  const offered = (known: readonly ExportSize[] = []): readonly TypeRow[] => {
    const size = known.find((each) => each.format === format);
    return types(size).map((each) => describeType(each, size));
  };
  const type = await pickSized(vscode.l10n.t('In which precision?'), offered, sizes);
  return type && { format, dtype: type.dtype, suffix };
}

/** Lets the user choose one of some rows, which say more when the sizes are there. */
async function pickSized<Row extends LiveRow>(
  title: string,
  rowsFor: (sizes?: readonly ExportSize[]) => readonly Row[],
  sizes: Promise<readonly ExportSize[]>,
): Promise<Row | undefined> {
  const picked = await pickLive<Row>(undefined, {
    title,
    placeHolder: '',
    text: '',
    matchOnDetail: true,
    onText: () => undefined,
    fill: (list, token) => {
      list.show(rowsFor());
      list.setBusy(true);
      void sizes
        .then((all) => {
          if (!token.isCancellationRequested) list.show(rowsFor(all));
        })
        .catch(() => undefined)
        .finally(() => list.setBusy(false));
    },
  });
  return picked === BACK ? undefined : picked;
}

/** A format with what it takes, from its smallest type to its largest, or whether it can be had at all. */
function describeFormat(row: FormatRow, sizes: readonly ExportSize[]): FormatRow {
  const size = sizes.find(({ format }) => format === row.format);
  if (size === undefined) return row;
  const { problem, needsDownload } = size;
  if (problem !== null && needsDownload) return { ...row, detail: problem };
  if (problem !== null) {
    const detail = vscode.l10n.t('Not possible for this adapter; choose it to see why.');
    return { ...row, icon: 'warning', detail, problem };
  }
  const offered = row.types?.(size).map(({ dtype }) => dtype) ?? [null];
  const bytes = offered.flatMap((dtype) => bytesIn(size, dtype) ?? []);
  const [least, most] = [Math.min(...bytes), Math.max(...bytes)].map(formatBytes);
  const span = least === most ? least! : vscode.l10n.t('{0} to {1}', least!, most!);
  return { ...row, description: `${row.description} · ${span}` };
}

function describeType(row: TypeRow, size: ExportSize | undefined): TypeRow {
  const bytes = size && bytesIn(size, row.dtype);
  return bytes === undefined ? row : { ...row, description: formatBytes(bytes) };
}

function bytesIn({ dtype: own, bytes }: ExportSize, dtype: ExportDtype | null): number | undefined {
  const asked = dtype ?? own;
  return asked === null ? undefined : bytes[asked];
}

function formatRows(): readonly FormatRow[] {
  return [
    {
      label: 'PEFT',
      description: vscode.l10n.t('the adapter alone'),
      detail: vscode.l10n.t(
        'A folder that PEFT, transformers and vLLM load beside the base model.',
      ),
      ...{ icon: 'layers', key: 'peft', format: 'peft', suffix: '' },
    },
    {
      label: 'Hugging Face',
      description: vscode.l10n.t('a whole model, the adapter merged into it'),
      detail: vscode.l10n.t(
        'A folder for transformers, vLLM and all that loads models of the Hub.',
      ),
      ...{ icon: 'package', key: 'merged', format: 'merged', suffix: '-merged' },
    },
    {
      label: 'GGUF',
      description: vscode.l10n.t('a whole model, the adapter merged into it'),
      detail: vscode.l10n.t('One file for llama.cpp, LM Studio and others.'),
      ...{ icon: 'file-binary', key: 'gguf', format: 'gguf', suffix: '.gguf', types: ggufTypes },
    },
    {
      label: vscode.l10n.t('GGUF adapter'),
      description: vscode.l10n.t('the adapter alone'),
      detail: vscode.l10n.t('One file that llama.cpp loads beside the base model.'),
      ...{
        icon: 'file-binary',
        key: 'gguf-adapter',
        format: 'gguf-adapter',
        suffix: '-adapter.gguf',
      },
    },
    {
      label: 'Ollama',
      description: vscode.l10n.t('a whole model, the adapter merged into it'),
      detail: vscode.l10n.t(
        'A folder with a GGUF file and a Modelfile, from which Ollama makes a model.',
      ),
      ...{
        icon: 'package',
        key: 'ollama',
        format: 'ollama',
        suffix: '-ollama',
        types: ggufTypes,
      },
    },
    {
      label: 'ONNX',
      description: vscode.l10n.t('a whole model, the adapter merged into it'),
      detail: vscode.l10n.t(
        'A folder that ONNX Runtime GenAI and transformers.js load, in programs and browsers.',
      ),
      ...{ icon: 'package', key: 'onnx', format: 'onnx', suffix: '-onnx', types: onnxTypes },
    },
  ];
}

function onnxTypes(): readonly TypeRow[] {
  return [
    {
      label: vscode.l10n.t('32 bits'),
      detail: vscode.l10n.t('What programs compute in.'),
      ...{ key: 'f32', dtype: 'f32' },
    },
    {
      label: vscode.l10n.t('16 bits'),
      detail: vscode.l10n.t('Half the size on disk; widened where it is loaded.'),
      ...{ key: 'f16', dtype: 'f16' },
    },
  ];
}

/** The type that a file has where none is asked for, which follows from that of the base, and others. */
function ggufTypes(size?: ExportSize): readonly TypeRow[] {
  const { dtype: own = null, baseDtype = null } = size ?? {};
  const isWider = baseDtype === 'f32';
  return [
    {
      label:
        own === null ? vscode.l10n.t('16 bits') : vscode.l10n.t('16 bits ({0})', own.toUpperCase()),
      detail:
        own === baseDtype && own !== null
          ? vscode.l10n.t('As the base model is stored, or unpacked where it is quantized.')
          : isWider
            ? vscode.l10n.t('Half of what the base model takes, whose 32 bits are rounded.')
            : vscode.l10n.t('As the base model is stored, or rounded if that is in 32 bits.'),
      ...{ key: 'own', dtype: null },
    },
    {
      label: 'Q8_0',
      detail: vscode.l10n.t('Eight bits: about half the size, hardly any difference.'),
      ...{ key: 'q8_0', dtype: 'q8_0' },
    },
    {
      label: 'Q4_K_M',
      detail: vscode.l10n.t('Four to six bits: a third of the size, a little less exact.'),
      ...{ key: 'q4_k_m', dtype: 'q4_k_m' },
    },
    {
      label: vscode.l10n.t('32 bits'),
      detail: isWider
        ? vscode.l10n.t('As the base model is stored; twice the size.')
        : vscode.l10n.t('Twice the size, to quantize it with another program.'),
      ...{ key: 'f32', dtype: 'f32' },
    },
  ];
}
