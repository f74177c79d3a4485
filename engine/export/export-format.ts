import type { SourceOptions } from './export-source.ts';

/** Element types that a model can be exported in. */
export const EXPORT_DTYPES = ['f32', 'f16', 'bf16', 'q8_0', 'q4_k_m'] as const;
export type ExportDtype = (typeof EXPORT_DTYPES)[number];

/** What stored types are called here. */
export const EXPORT_DTYPES_OF = { F32: 'f32', F16: 'f16', BF16: 'bf16' } as const;

/** What is asked of an export, beside its format. */
export interface ExportOptions extends SourceOptions {
  /** That of the base, unless given. */
  readonly dtype?: ExportDtype | undefined;
  /** For `merged`: the most that a file of weights may have, 5 GB unless given; a larger tensor has its own. */
  readonly maxShardBytes?: number | undefined;
  /** For `peft`: files that are made for it, and written beside it. */
  readonly beside?: readonly { readonly name: string; readonly content: Buffer }[] | undefined;
  /** For `ollama`: the adapter beside its base, not merged into it. */
  readonly unmerged?: boolean | undefined;
}

/** An export that was thought through: nothing has been written. */
export interface PlannedExport {
  /** Bytes of the tensors that will be written, by which progress is measured. */
  readonly bytes: number;
  /** The same with weights in another type that the format knows; none where they are copied as they are. */
  readonly bytesIn?: (dtype: ExportDtype) => number;
  readonly tensors: number;
  /** Values that are compared afterwards, by which that is measured. */
  readonly values: number;
  /** Layers whose adapter is in it. */
  readonly modules: number;
  /** Files that are read while it is written, and again while it is checked. */
  readonly sources: readonly string[];
  /** In what most of it is stored. */
  readonly dtype: ExportDtype;
  /** In what the base is, where that decides the type that is written when none is asked for. */
  readonly baseDtype?: ExportDtype;
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
 * Thinks the export of a folder through.
 *
 * @throws LorafaError as `openExportSource`, and for what the format has no way to write
 */
export type PlanExport = (folder: string, options: ExportOptions) => Promise<PlannedExport>;

/** One format, declared once; see `export-formats.ts`. */
export interface ExportFormat {
  /** For people: what it is for. */
  readonly summary: string;
  /** None for what is copied as it is. */
  readonly dtypes: readonly ExportDtype[];
  readonly load: () => Promise<PlanExport>;
}
