import path from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { LorafaError } from '../../../engine/errors.ts';
import type { ExportResult, OnExportProgress } from '../../../engine/export/export.ts';
import { EXPORT_DTYPES, type ExportDtype } from '../../../engine/export/export-format.ts';
import { EXPORT_FORMATS, type ExportFormatName } from '../../../engine/export/export-formats.ts';
import type { ExportSize } from '../../../engine/export/export-sizes.ts';
import { formatBytes, formatCount } from '../../format.ts';
import { makeCard } from '../../publish/card-files.ts';
import { exitCodeOf } from '../exit-codes.ts';
import { withInterrupt } from '../interrupt.ts';
import { jsonProgress } from '../json-progress.ts';
import { localPath } from '../local-path.ts';
import { printJson, printText } from '../print.ts';
import { runCommand } from '../run-command.ts';
import { stderrProgress } from '../stderr-progress.ts';

interface ExportFlags {
  readonly format?: ExportFormatName;
  readonly output?: string;
  readonly sizes?: true;
  readonly dtype?: ExportDtype;
  readonly base?: string;
  readonly merge: boolean;
  readonly json?: true;
}

/** Adds `lorafa export` to the program. */
export function addExportCommand(program: Command): void {
  const formats = Object.keys(EXPORT_FORMATS);
  const rows = Object.entries(EXPORT_FORMATS).map(
    ([name, { summary }]) => `  ${name.padEnd(14)}${summary}`,
  );
  program
    .command('export')
    .summary('write a result in the format of another program')
    .description(
      'Write an adapter, or a model that was trained whole, in the format of another program. What was written is read back and compared with what was meant before it gets its name.',
    )
    .argument('<result>', 'folder of an adapter, of a checkpoint or of a whole model')
    .addOption(new Option('--format <format>', 'the format').choices(formats))
    .option('--output <path>', 'the file or folder to make')
    .option(
      `--dtype <${EXPORT_DTYPES.join('|')}>`,
      'type of the weights (default: that of the base, and f16 for gguf and ollama where that is f32; f32 for gguf-adapter and onnx)',
      exportDtype,
    )
    .option('--base <model>', 'base model of the adapter, if not the one that it names')
    .option('--no-merge', 'ollama: the adapter beside its base, not merged into it')
    .option('--sizes', 'write nothing, and say how much each format takes in each type')
    .option('--json', 'print JSON lines: how far it is, and last what came of it')
    .addHelpText('after', `\nFormats:\n${rows.join('\n')}`)
    .action((result: string, flags: ExportFlags) =>
      runCommand(flags.json === true, () => exportCommand(result, flags)),
    );
}

/** @throws InvalidArgumentError */
function exportDtype(text: string): ExportDtype {
  const dtype = EXPORT_DTYPES.find((each) => each === text.toLowerCase());
  if (dtype !== undefined) return dtype;
  throw new InvalidArgumentError(
    `Known are ${EXPORT_DTYPES.join(', ')}; for others (Q5_K_M) export a GGUF file in f16 or bf16 and give it to llama-quantize, which comes with llama.cpp.`,
  );
}

async function exportCommand(result: string, flags: ExportFlags): Promise<void> {
  const { format, output, dtype, base, merge, json } = flags;
  if (flags.sizes === true) return sizesCommand(result, flags);
  if (format === undefined || output === undefined) {
    throw new LorafaError(
      'usage.invalid',
      `An export needs --${format === undefined ? 'format' : 'output'}; without either, --sizes says what there is and how much it takes.`,
    );
  }
  const report = stderrProgress();
  const textProgress: OnExportProgress = (state) => report({ type: 'progress', ...state });
  const abort = new AbortController();
  const { exportResult } = await import('../../../engine/export/export.ts');
  const folder = await localPath(result, 'adapter');
  const card = format === 'peft' ? await makeCard(folder) : undefined;
  const request = { folder, format, output: path.resolve(output), dtype, base, unmerged: !merge };
  const made = await withInterrupt(
    () => abort.abort(),
    () =>
      exportResult(
        { ...request, beside: card?.files },
        { signal: abort.signal, onProgress: json === true ? jsonProgress() : textProgress },
      ),
  );
  const exported = { ...made, notes: [...made.notes, ...(card?.notes ?? [])] };
  if (json === true) printJson(process.stdout, { type: 'exported', ...exported });
  else printText(process.stdout, describe(exported));
}

async function sizesCommand(result: string, { base, json }: ExportFlags): Promise<void> {
  const { exportSizes } = await import('../../../engine/export/export-sizes.ts');
  const sizes = await exportSizes(await localPath(result, 'adapter'), { base });
  if (json === true) printJson(process.stdout, { type: 'sizes', sizes });
  else printText(process.stdout, sizes.map(describeSize).join('\n'));
  // Of what is no result there is nothing in any format.
  if (sizes.every(({ problem }) => problem !== null)) {
    process.exitCode = exitCodeOf('adapter.not_found');
  }
}

function describeSize({ format, dtype, bytes, problem }: ExportSize): string {
  const known = Object.entries(bytes).map(([type, size]) => `${type} ${formatBytes(size)}`);
  const otherwise = dtype === null ? '' : ` (${dtype} unless another is asked for)`;
  return `${format.padEnd(14)}${problem ?? `${known.join(', ')}${known.length > 1 ? otherwise : ''}`}`;
}

function describe({ output, bytes, dtype, tensors, modules, notes }: ExportResult): string {
  const merged = modules === 0 ? '' : `, ${formatCount(modules)} layers adapted`;
  return [
    `${output}: ${formatBytes(bytes)} in ${dtype}${merged}; ${formatCount(tensors)} of ${formatCount(tensors)} tensors read back, every value as it was meant.`,
    ...notes,
  ].join('\n');
}
