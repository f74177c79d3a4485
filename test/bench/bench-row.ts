import type { ModelShape } from './model-shapes.ts';
import type { Settings } from './run-config.ts';

/** One row of the benchmark: what is trained, on which batches, by whom. */
export type BenchRow = EngineRow | PeftRow;

interface Row {
  /** What `--only` and JSON call it. */
  readonly name: string;
  /** What tables call it. */
  readonly label: string;
  readonly model: ModelShape;
  /** Examples of one step. */
  readonly batchSize: number;
  /** Tokens of each example of the data set. */
  readonly lengths: readonly number[];
  /** Steps of a sample that are measured. */
  readonly steps: number;
  /** Steps of a sample before those. */
  readonly warmupSteps: number;
}

/** A run of this engine. */
export interface EngineRow extends Row {
  readonly kind: 'engine';
  /** What differs from `COMMON_SETTINGS`. */
  readonly settings: Settings;
}

/** A loop around PEFT's `create_lorafa_optimizer` on the same weights and batches. */
export interface PeftRow extends Row {
  readonly kind: 'peft';
  readonly peft: PeftSettings;
}

/** How PEFT trains. */
export interface PeftSettings {
  /**
   * `autocast` keeps float32 weights and computes in bfloat16 where torch does; `bfloat16` has the
   * base's weights in bfloat16 as well.
   */
  readonly precision: 'float32' | 'autocast' | 'bfloat16';
  readonly gradientCheckpointing: boolean;
  readonly allocator: Allocator;
}

/** How the C library gives memory to torch. */
export type Allocator = 'default' | 'keep' | 'jemalloc';

/** Rows that are compared with each other: their samples take turns. */
export interface BenchGroup {
  readonly name: string;
  /** Heading of its table. */
  readonly title: string;
  /** Fresh processes for each row. */
  readonly samples: number;
  readonly rows: readonly BenchRow[];
  /** Takes part only where `--only` names it. */
  readonly byNameAlone?: true;
}

/** Whether all steps of a row are of one size. */
export function isUniform({ lengths }: BenchRow): boolean {
  return lengths.every((length) => length === lengths[0]);
}
