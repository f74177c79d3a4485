import { lstat, readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { codeOf } from '../bounded-file.ts';
import { freeBytes } from '../disk-space.ts';
import { LorafaError } from '../errors.ts';
import { makeAside } from '../files/folders.ts';
import { formatBytes } from '../format-bytes.ts';
import type { OnDownload } from '../hub/download-progress.ts';
import type { ExportDtype, ExportOptions } from './export-format.ts';
import { EXPORT_FORMATS, type ExportFormatName } from './export-formats.ts';
import { requireUnchanged, stampsOf } from './source-files.ts';

/** What is to be exported, how, and where to. */
export interface ExportRequest extends Omit<ExportOptions, 'onDownload' | 'signal'> {
  /** Folder of an adapter, of a checkpoint, or of a model that was trained whole. */
  readonly folder: string;
  readonly format: ExportFormatName;
  /** A file or a folder, as the format has it; nothing may be there. */
  readonly output: string;
}

/**
 * Is told of bytes of a base that is downloaded, of bytes that are written (`writing`), and of values that are
 * read back (`checking`), so many of so many.
 */
export type OnExportProgress = OnDownload;

/** Who is told about an export, and who may end it. */
export interface ExportCallbacks {
  readonly onProgress?: OnExportProgress;
  readonly signal?: AbortSignal;
}

/** What an export came to. */
export interface ExportResult {
  readonly format: ExportFormatName;
  readonly output: string;
  readonly dtype: ExportDtype;
  /** Bytes of all files. */
  readonly bytes: number;
  /** Tensors that were written, read back, and found to be what was meant: all of them. */
  readonly tensors: number;
  /** Layers whose adapter is in it. */
  readonly modules: number;
  /** Sentences: what whoever uses the result has to know. */
  readonly notes: readonly string[];
}

/**
 * Exports a result. It is made beside its place, read back, compared with what was meant, and then gets its
 * name; before that, and whatever happens, nothing of it is there.
 *
 * @throws LorafaError `output.not_writable` where something has the name already, `output.no_space`,
 * `usage.invalid` for an option that the format does not know, `export.cancelled`, `export.wrong_values`, and as
 * the format's plan
 */
export async function exportResult(
  request: ExportRequest,
  { onProgress, signal }: ExportCallbacks = {},
): Promise<ExportResult> {
  const { folder, format: name, output, ...options } = request;
  const format = EXPORT_FORMATS[name];
  requireKnown(name, options);
  await requireFree(output);
  const plan = await format.load();
  const planned = await plan(folder, { ...options, onDownload: onProgress, signal }).catch(
    (error: unknown) => {
      throwIfAborted(signal);
      throw error;
    },
  );
  const stamps = await stampsOf(planned.sources);
  await requireSpace(output, planned.bytes);
  const counting = (task: 'writing' | 'checking', total: number) => {
    const startedAt = performance.now();
    let done = 0;
    return (count: number): void => {
      throwIfAborted(signal);
      done += count;
      const rate = done / Math.max(1e-3, (performance.now() - startedAt) / 1000);
      // What is compared is not counted in bytes.
      onProgress?.({ task, done, total, ...(task === 'writing' && { rate }) });
    };
  };
  const make = async (staged: string): Promise<ExportResult> => {
    try {
      await planned.write(staged, counting('writing', planned.bytes));
      const notes = await planned.check(staged, counting('checking', planned.values));
      throwIfAborted(signal);
      return {
        format: name,
        output,
        dtype: planned.dtype,
        bytes: await bytesIn(staged),
        tensors: planned.tensors,
        modules: planned.modules,
        notes,
      };
    } catch (error) {
      // What was meant is read again from there.
      if (isAboutTensors(error)) await requireUnchanged(stamps);
      throw inItsPlace(error, staged, output);
    }
  };
  return makeAside(output, make).catch(async (error: unknown) => {
    // Another export may have been faster.
    if (error instanceof LorafaError && codeOf(error.cause) === 'EEXIST') await requireFree(output);
    throw error;
  });
}

/** @throws LorafaError `usage.invalid` for an option that the format has no use for */
function requireKnown(
  name: ExportFormatName,
  { dtype, base, unmerged }: Pick<ExportOptions, 'dtype' | 'base' | 'unmerged'>,
): void {
  const dtypes: readonly ExportDtype[] = EXPORT_FORMATS[name].dtypes;
  const problem =
    dtype !== undefined && dtypes.length === 0
      ? `copies weights in the type that they have; leave --dtype ${dtype} out`
      : dtype !== undefined && !dtypes.includes(dtype)
        ? `is not written in ${dtype}; known are ${dtypes.join(', ')}`
        : base !== undefined && name === 'peft'
          ? 'copies the adapter alone; leave --base out'
          : unmerged === true && name !== 'ollama'
            ? 'knows no --no-merge, which is for ollama; leave it out'
            : undefined;
  if (problem !== undefined) {
    throw new LorafaError('usage.invalid', `The format ${name} ${problem}.`);
  }
}

function isAboutTensors(error: unknown): boolean {
  return error instanceof LorafaError && /^(model\.|export\.wrong_values)/.test(error.code);
}

/** An error about what will be gone when it is read, told of the place that was meant. */
function inItsPlace(error: unknown, staged: string, output: string): unknown {
  if (!(error instanceof LorafaError) || !error.message.includes(staged)) return error;
  const message = error.message.replaceAll(staged, output);
  return new LorafaError(error.code, message, { location: { file: output }, cause: error });
}

function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) {
    throw new LorafaError(
      'export.cancelled',
      'The export was cancelled, and nothing of it was kept.',
    );
  }
}

async function requireFree(output: string): Promise<void> {
  const found = await lstat(output).catch(() => undefined);
  if (found === undefined) return;
  throw new LorafaError(
    'output.not_writable',
    `${output} is there already, and an export replaces nothing; choose another output, or move it away.`,
    { location: { file: output } },
  );
}

async function requireSpace(output: string, bytes: number): Promise<void> {
  const folder = path.dirname(output);
  const free = await freeBytes(folder);
  if (bytes <= free) return;
  throw new LorafaError(
    'output.no_space',
    `The export needs ${formatBytes(bytes)} in ${folder}, and there is room for ${formatBytes(free)}; free some space, or choose an output on another disk.`,
    { location: { file: output } },
  );
}

async function bytesIn(place: string): Promise<number> {
  const found = await stat(place);
  if (!found.isDirectory()) return found.size;
  let sum = 0;
  for (const name of await readdir(place)) sum += await bytesIn(path.join(place, name));
  return sum;
}
