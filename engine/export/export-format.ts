import type { ExportSource } from './export-source.ts';

/** Element types that a model can be exported in. */
export const EXPORT_DTYPES = ['f32', 'f16', 'bf16', 'q8_0'] as const;
export type ExportDtype = (typeof EXPORT_DTYPES)[number];

/** What is asked of an export, beside its format. */
export interface ExportOptions {
  /** That of the base, unless given. */
  readonly dtype?: ExportDtype | undefined;
  /** For `ollama`: the adapter beside its base, not merged into it. */
  readonly unmerged?: boolean;
}

/** An export that was thought through: nothing has been written. */
export interface PlannedExport {
  /** Bytes of the tensors that will be written, by which progress is measured. */
  readonly bytes: number;
  readonly tensors: number;
  /** Values that are compared afterwards, by which that is measured. */
  readonly values: number;
  /** In what most of it is stored. */
  readonly dtype: ExportDtype;
  /** Writes it, as a file or as a folder. */
  readonly write: (target: string, progress: ExportProgress) => Promise<void>;
  /**
   * Loads what was written with this project's own readers, and compares every value with what was meant.
   *
   * @returns sentences for people: what they have to know of the result
   * @throws LorafaError `export.wrong_values`, and what the readers throw
   */
  readonly check: (target: string, progress: ExportProgress) => Promise<readonly string[]>;
}

/** Is told of bytes that were written, or of values that were compared; throws where the export was cancelled. */
export type ExportProgress = (count: number) => void;

/**
 * Thinks an export through.
 *
 * @throws LorafaError for a source that the format has no way to write
 */
export type PlanExport = (source: ExportSource, options: ExportOptions) => Promise<PlannedExport>;

/** One format, declared once; see `export-formats.ts`. */
export interface ExportFormat {
  /** For people: what it is for. */
  readonly summary: string;
  /** None for what is copied as it is. */
  readonly dtypes: readonly ExportDtype[];
  readonly load: () => Promise<PlanExport>;
}
