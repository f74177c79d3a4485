import type { z } from 'zod';
import type { dataSection } from '../config/data-section.ts';

/** The settings that say what a row is. */
type RowKey =
  | 'format'
  | 'text_column'
  | 'prompt_column'
  | 'completion_column'
  | 'messages_column'
  | 'prompt_template'
  | 'completion_template';

/** The settings of the section `data` that decide how a row becomes an example. */
export type DataOptions = Pick<
  z.output<typeof dataSection>,
  | RowKey
  | 'apply_chat_template'
  | 'completion_only_loss'
  | 'train_on'
  | 'chat_template'
  | 'max_length'
  | 'max_bad_rows'
>;

/** Those that say what a row is; each set that is mixed in has its own. */
export type RowOptions = Pick<DataOptions, RowKey>;

/** Whether every token is learned, whoever wrote it. */
export function learnsAll({ completion_only_loss, train_on }: DataOptions): boolean {
  return !completion_only_loss || train_on === 'all';
}
