import type { z } from 'zod';
import type { dataSection } from '../config/data-section.ts';

/** The settings of the section `data` that decide how a row becomes an example. */
export type DataOptions = Pick<
  z.output<typeof dataSection>,
  | 'format'
  | 'text_column'
  | 'prompt_column'
  | 'completion_column'
  | 'messages_column'
  | 'prompt_template'
  | 'completion_template'
  | 'apply_chat_template'
  | 'completion_only_loss'
  | 'train_on'
  | 'chat_template'
  | 'max_length'
  | 'max_bad_rows'
>;

/** Whether every token is learned, whoever wrote it. */
export function learnsAll({ completion_only_loss, train_on }: DataOptions): boolean {
  return !completion_only_loss || train_on === 'all';
}
