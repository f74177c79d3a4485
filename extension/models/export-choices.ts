import * as vscode from 'vscode';
import type { ExportDtype } from '../../engine/export/export-format.ts';
import type { ExportFormatName } from '../../engine/export/export-formats.ts';
import { type PickRow, pick } from '../show/quick-input.ts';

/** How an adapter is exported. */
export interface ExportChoice {
  readonly format: ExportFormatName;
  /** Null for that of the base. */
  readonly dtype: ExportDtype | null;
  /** What follows the adapter's name in that of the file or folder. */
  readonly suffix: string;
}

interface FormatRow extends PickRow {
  readonly format: ExportFormatName;
  readonly suffix: string;
  /** Types that weights may be stored in; none where that is not asked. */
  readonly types: readonly TypeRow[];
}

interface TypeRow extends PickRow {
  readonly dtype: ExportDtype | null;
}

/** Asks in which format an adapter shall be exported; undefined when the user closed a question. */
export async function chooseExport(title: string): Promise<ExportChoice | undefined> {
  const row = await pick(formatRows(), { title, matchOnDetail: true });
  if (row === undefined) return undefined;
  const { format, suffix, types } = row;
  if (types.length === 0) return { format, dtype: null, suffix };
  const type = await pick(types, { title });
  return type && { format, dtype: type.dtype, suffix };
}

function formatRows(): readonly FormatRow[] {
  return [
    {
      label: 'PEFT',
      description: vscode.l10n.t('the adapter alone'),
      detail: vscode.l10n.t(
        'A folder that PEFT, transformers and vLLM load beside the base model.',
      ),
      ...{ icon: 'layers', format: 'peft', suffix: '', types: [] },
    },
    {
      label: 'Hugging Face',
      description: vscode.l10n.t('a whole model, the adapter merged into it'),
      detail: vscode.l10n.t(
        'A folder for transformers, vLLM and all that loads models of the Hub.',
      ),
      ...{ icon: 'package', format: 'merged', suffix: '-merged', types: [] },
    },
    {
      label: 'GGUF',
      description: vscode.l10n.t('a whole model, the adapter merged into it'),
      detail: vscode.l10n.t('One file for llama.cpp, LM Studio and others.'),
      ...{ icon: 'file-binary', format: 'gguf', suffix: '.gguf', types: ggufTypes() },
    },
    {
      label: vscode.l10n.t('GGUF adapter'),
      description: vscode.l10n.t('the adapter alone'),
      detail: vscode.l10n.t('One file that llama.cpp loads beside the base model.'),
      ...{ icon: 'file-binary', format: 'gguf-adapter', suffix: '-adapter.gguf', types: [] },
    },
    {
      label: 'Ollama',
      description: vscode.l10n.t('a whole model, the adapter merged into it'),
      detail: vscode.l10n.t(
        'A folder with a GGUF file and a Modelfile, from which Ollama makes a model.',
      ),
      ...{ icon: 'package', format: 'ollama', suffix: '-ollama', types: ggufTypes() },
    },
    {
      label: 'ONNX',
      description: vscode.l10n.t('a whole model, the adapter merged into it'),
      detail: vscode.l10n.t(
        'A folder that ONNX Runtime GenAI and transformers.js load, in programs and browsers.',
      ),
      ...{ icon: 'package', format: 'onnx', suffix: '-onnx', types: onnxTypes() },
    },
  ];
}

function onnxTypes(): readonly TypeRow[] {
  return [
    {
      label: vscode.l10n.t('32 bits'),
      detail: vscode.l10n.t('What programs compute in.'),
      dtype: 'f32',
    },
    {
      label: vscode.l10n.t('16 bits'),
      detail: vscode.l10n.t('Half the size on disk; widened where it is loaded.'),
      dtype: 'f16',
    },
  ];
}

function ggufTypes(): readonly TypeRow[] {
  return [
    {
      label: vscode.l10n.t('16 bits'),
      detail: vscode.l10n.t('As the base model is stored.'),
      dtype: null,
    },
    {
      label: 'Q8_0',
      detail: vscode.l10n.t('Eight bits: about half the size, hardly any difference.'),
      dtype: 'q8_0',
    },
    {
      label: vscode.l10n.t('32 bits'),
      detail: vscode.l10n.t('Twice the size, to quantize it with another program.'),
      dtype: 'f32',
    },
  ];
}
