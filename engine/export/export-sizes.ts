import { LorafaError } from '../errors.ts';
import type { ExportDtype } from './export-format.ts';
import { EXPORT_FORMATS, type ExportFormatName } from './export-formats.ts';
import type { SourceOptions } from './export-source.ts';

/** How much a format takes, or why it cannot be had. */
export interface ExportSize {
  readonly format: ExportFormatName;
  /** The type of its weights where none is asked for; null where it cannot be had. */
  readonly dtype: ExportDtype | null;
  /** In what the base is stored, which that follows from; null where it does not, or cannot be had. */
  readonly baseDtype: ExportDtype | null;
  /** Bytes of the weights in each type that can be asked for, that one among them. */
  readonly bytes: Readonly<Partial<Record<ExportDtype, number>>>;
  /** Why it cannot be had, or not be measured, as a sentence; null where it can. */
  readonly problem: string | null;
  /** Whether that is only because the base is not on this machine yet. */
  readonly needsDownload: boolean;
}

/**
 * How much a result takes in each format and type. Only headers are read, nothing is written, and nothing
 * is downloaded: a base that is not on this machine is a problem of the formats that it is in.
 */
export async function exportSizes(
  folder: string,
  options: Omit<SourceOptions, 'onDownload' | 'signal' | 'isOffline'> = {},
): Promise<readonly ExportSize[]> {
  const sizes: ExportSize[] = [];
  for (const [name, format] of Object.entries(EXPORT_FORMATS)) {
    sizes.push({ format: name as ExportFormatName, ...(await sizesIn(folder, format, options)) });
  }
  return sizes;
}

async function sizesIn(
  folder: string,
  { dtypes, load }: (typeof EXPORT_FORMATS)[ExportFormatName],
  options: SourceOptions,
): Promise<Omit<ExportSize, 'format'>> {
  try {
    const plan = await load();
    const {
      dtype,
      baseDtype = null,
      bytes,
      bytesIn,
    } = await plan(folder, { ...options, isOffline: true });
    const others = bytesIn ? dtypes.map((each) => [each, bytesIn(each)] as const) : [];
    return {
      dtype,
      baseDtype,
      bytes: { ...Object.fromEntries(others), [dtype]: bytes },
      problem: null,
      needsDownload: false,
    };
  } catch (error) {
    if (!(error instanceof LorafaError)) throw error;
    const needsDownload = error.code === 'hub.not_cached';
    const { message: problem } = error;
    return { dtype: null, baseDtype: null, bytes: {}, problem, needsDownload };
  }
}
